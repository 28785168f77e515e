package oss_test

import (
	"context"
	"log"
	"net"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/server"
	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/oss"
)

// start starts a server in memory, with the bucket "examples", and returns a
// client of it. In a program of yours it is:
//
//	client, err := oss.NewClient(os.Getenv("OSS_ENDPOINT"), oss.WithRegion(os.Getenv("OSS_REGION")))
func start() (client *oss.Client, stop func()) {
	ctx := context.Background()
	s, err := store.Open(ctx, memkv.New(), memblob.New(), store.Options{})
	check(err)
	srv, err := server.New(s, server.Options{
		Keys: auth.RootKey{AccessKeyID: "id", Secret: "secret", OwnerID: "1000000000000001"},
	})
	check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	hs := srv.HTTPServer()
	served := make(chan struct{})
	go func() {
		defer close(served)
		hs.Serve(l)
	}()
	client, err = oss.NewClient("http://"+l.Addr().String(), oss.WithRegion("cn-hangzhou"),
		oss.WithCredentials(oss.StaticCredentials("id", "secret", "")))
	check(err)
	_, err = client.PutBucket(ctx, &oss.PutBucketRequest{Bucket: "examples"})
	check(err)
	return client, func() {
		client.CloseIdleConnections()
		hs.Close()
		<-served
		s.Close()
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
