package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/oss"
)

// cnameEntry is a domain name of a bucket for machines.
type cnameEntry struct {
	Type         string    `json:"type"` // cname
	Bucket       string    `json:"bucket"`
	Domain       string    `json:"domain"`
	Status       string    `json:"status,omitempty"`
	LastModified time.Time `json:"last_modified,omitzero"`
	Action       string    `json:"action,omitempty"` // put or rm
}

func cnameCommand() *cobra.Command {
	return group("cname", "List, add and remove domain names of a bucket",
		"Domain names of yours that lead to a bucket.", cnameGetCommand(), cnamePutCommand(), cnameRmCommand())
}

func cnameGetCommand() *cobra.Command {
	command := clientLeaf("get oss://BUCKET", "List the domain names of a bucket",
		"List the domain names of a bucket.", `  ossa cname get oss://builds`, nil,
		func(s *clientSession) error {
			bucket, err := parseBucket(s.args[0])
			if err != nil {
				return err
			}
			res, err := s.client.ListCname(s.ctx, &oss.ListCnameRequest{Bucket: bucket})
			if err != nil {
				return err
			}
			table := s.rows("DOMAIN STATUS MODIFIED")
			defer table.end()
			for _, c := range res.Cnames {
				if s.json {
					err = s.print(cnameEntry{Type: "cname", Bucket: bucket, Domain: c.Domain, Status: c.Status, LastModified: c.LastModified})
				} else {
					err = table.add(cell(c.Domain), c.Status, when(c.LastModified))
				}
				if err != nil {
					return err
				}
			}
			return table.end()
		})
	command.Aliases = []string{"ls"}
	return command
}

func cnamePutCommand() *cobra.Command {
	command := clientLeaf("put oss://BUCKET DOMAIN", "Add a domain name to a bucket",
		"Add a domain name to a bucket. Its DNS record is up to you.", `  ossa cname put oss://builds files.example.com`, nil,
		func(s *clientSession) error {
			bucket, err := parseBucket(s.args[0])
			if err != nil {
				return err
			}
			domain := s.args[1]
			if _, err := s.client.PutCname(s.ctx, &oss.PutCnameRequest{Bucket: bucket, Domain: domain}); err != nil {
				return err
			}
			return s.done(cnameEntry{Type: "cname", Bucket: bucket, Domain: domain, Action: "put"}, "%s leads to oss://%s", line(domain), bucket)
		})
	command.Aliases = []string{"add"}
	return command
}

func cnameRmCommand() *cobra.Command {
	command := clientLeaf("rm oss://BUCKET DOMAIN", "Take a domain name off a bucket",
		"Take a domain name off a bucket.", `  ossa cname rm oss://builds files.example.com`, nil,
		func(s *clientSession) error {
			bucket, err := parseBucket(s.args[0])
			if err != nil {
				return err
			}
			domain := s.args[1]
			if _, err := s.client.DeleteCname(s.ctx, &oss.DeleteCnameRequest{Bucket: bucket, Domain: domain}); err != nil {
				return err
			}
			return s.done(cnameEntry{Type: "cname", Bucket: bucket, Domain: domain, Action: "rm"}, "%s does not lead to oss://%s", line(domain), bucket)
		})
	command.Aliases = []string{"delete"}
	return command
}
