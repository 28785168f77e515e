package oss

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A secret is in no text of a value that holds it.
func TestCredentialsHide(t *testing.T) {
	c := Credentials{AccessKeyID: "id", AccessKeySecret: "hidden", SecurityToken: "hidden"}
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "c", c)
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%v %+v %#v %s", c, c, c, c), b.String()} {
		if strings.Contains(text, "hidden") || !strings.Contains(text, "id") {
			t.Errorf("text is %q", text)
		}
	}

	name := filepath.Join(t.TempDir(), "ossutilconfig")
	if err := os.WriteFile(name, []byte("[default]\naccessKeyID=id\naccessKeySecret=hidden\nstsToken=hidden\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	profile, err := LoadProfile(name, "")
	if err != nil {
		t.Fatal(err)
	}
	refreshing := RefreshingCredentials(func(context.Context) (Credentials, error) { return c, nil }, nil)
	for _, p := range []CredentialsProvider{profile, refreshing, StaticCredentials("id", "hidden", "hidden")} {
		if got, err := p.Credentials(context.Background()); err != nil || got != c {
			t.Errorf("%T: %v, %v", p, got, err)
		}
		for _, v := range []any{p, struct{ P any }{p}, mustClient(t, WithCredentials(p))} {
			if text := fmt.Sprintf("%v %+v %#v", v, v, v); strings.Contains(text, "hidden") {
				t.Errorf("%T: text is %q", p, text)
			}
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", *profile, *profile, *profile); strings.Contains(text, "hidden") {
		t.Errorf("profile: text is %q", text)
	}
}

func TestEnvironmentCredentials(t *testing.T) {
	p := EnvironmentCredentials()
	for _, c := range []struct{ id, secret, token, wrong string }{
		{"id", "secret", "", ""},
		{"id", "secret", "token", ""},
		{"", "secret", "", "not both set"},
		{"id", "", "", "not both set"},
		{"id ", "secret", "", "access key ID has a blank"},
		{"id", "secret\n", "", "access key secret has a blank"},
		{"id", "secret", "tok en", "security token has a blank"},
	} {
		t.Setenv("OSS_ACCESS_KEY_ID", c.id)
		t.Setenv("OSS_ACCESS_KEY_SECRET", c.secret)
		t.Setenv("OSS_SESSION_TOKEN", c.token)
		got, err := p.Credentials(context.Background())
		if c.wrong == "" {
			if err != nil || got != (Credentials{AccessKeyID: c.id, AccessKeySecret: c.secret, SecurityToken: c.token}) {
				t.Errorf("%q: %v, %v", c.id, got, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%q %q: error %v, want %q", c.id, c.secret, err, c.wrong)
		}
	}
}

// A thousand requests cause one fetch; the next is when the old credentials are
// about to end, and one that fails while they are good hurts nobody.
func TestRefreshingCredentials(t *testing.T) {
	ctx := context.Background()
	clock := newTestClock()
	var mu sync.Mutex
	fetches, fail := 0, false
	p := RefreshingCredentials(func(context.Context) (Credentials, error) {
		mu.Lock()
		defer mu.Unlock()
		fetches++
		if fail {
			return Credentials{}, errors.New("the issuer is down")
		}
		return Credentials{
			AccessKeyID: fmt.Sprintf("id%d", fetches), AccessKeySecret: "s", SecurityToken: "t", Expires: clock.Now().Add(time.Hour),
		}, nil
	}, clock)
	expect := func(id string, n int) {
		t.Helper()
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				c, err := p.Credentials(ctx)
				if err != nil || c.AccessKeyID != id {
					t.Errorf("%v, %v, want %s", c, err, id)
				}
			})
		}
		wg.Wait()
		mu.Lock()
		defer mu.Unlock()
		if fetches != n {
			t.Errorf("%d fetches, want %d", fetches, n)
		}
	}
	expect("id1", 1)
	clock.advance(54 * time.Minute)
	expect("id1", 1)
	clock.advance(2 * time.Minute)
	expect("id2", 2)

	fail = true
	clock.advance(57 * time.Minute)
	expect("id2", 3)
	expect("id2", 3) // not asked again at once
	clock.advance(time.Hour)
	if _, err := p.Credentials(ctx); err == nil || !strings.Contains(err.Error(), "the issuer is down") {
		t.Errorf("with expired credentials and no new ones the error is %v", err)
	}
	fail = false
	expect("id5", 5)
	c, _ := p.Credentials(ctx)
	p.Expire(c)
	expect("id6", 6)
	p.Expire(c) // one refused long ago
	expect("id6", 6)
}

// Who waits for somebody else's fetch can stop waiting.
func TestRefreshingCredentialsCancel(t *testing.T) {
	began, end := make(chan struct{}), make(chan struct{})
	p := RefreshingCredentials(func(context.Context) (Credentials, error) {
		close(began)
		<-end
		return Credentials{AccessKeyID: "id", AccessKeySecret: "s"}, nil
	}, nil)
	done := make(chan error)
	go func() {
		_, err := p.Credentials(context.Background())
		done <- err
	}()
	<-began
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Credentials(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	close(end)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Both versions of ossutil's file are read, in all spellings of their keys.
func TestLoadProfile(t *testing.T) {
	const v1 = "[Credentials]\nlanguage=EN\naccessKeyID = id1\naccessKeySecret=secret1\nendpoint=oss-cn-hangzhou.aliyuncs.com\n"
	const v2 = "# comment\n\n[default]\naccessKeyId=id2\naccess-key-secret=secret2\nregion=cn-beijing\n\n" +
		"[profile dev]\nsource_profile=default\nmode=StsToken\nsts_token=token\nendpoint=http://127.0.0.1:9000\naddressing-style=path\n" +
		"[profile role]\nmode=EcsRamRole\nregion=x\n[profile public]\nmode=Anonymous\n[profile loop]\nsource-profile=loop\n" +
		"[profile broken]\naddressing-style=diagonal\n[profile empty]\n[profile old]\nsign-version=v1\naccesskeyid=a\naccesskeysecret=b\n"
	for _, c := range []struct {
		file, name string
		want       Profile
		creds      Credentials
		wrong      string // of LoadProfile
		noKey      string // of Credentials
	}{
		{file: v1, want: Profile{Endpoint: "oss-cn-hangzhou.aliyuncs.com"}, creds: Credentials{AccessKeyID: "id1", AccessKeySecret: "secret1"}},
		{file: v2, want: Profile{Region: "cn-beijing"}, creds: Credentials{AccessKeyID: "id2", AccessKeySecret: "secret2"}},
		{file: v2, name: "Dev", want: Profile{Region: "cn-beijing", Endpoint: "http://127.0.0.1:9000", Addressing: PathStyle, Mode: "StsToken"}, creds: Credentials{AccessKeyID: "id2", AccessKeySecret: "secret2", SecurityToken: "token"}},
		{file: v2, name: "old", want: Profile{Signature: SignatureV1}, creds: Credentials{AccessKeyID: "a", AccessKeySecret: "b"}},
		{file: v2, name: "public", want: Profile{Mode: "Anonymous"}},
		{file: v2, name: "role", want: Profile{Mode: "EcsRamRole", Region: "x"}, noKey: "only AK, StsToken and Anonymous"},
		{file: v2, name: "empty", noKey: "no access key"},
		{file: v2, name: "none", wrong: `no profile "none"`},
		{file: v2, name: "loop", wrong: "more than 8 times"},
		{file: v2, name: "broken", wrong: "none of path, virtual and cname"},
		{file: "[default\n", wrong: "line 1: a section without ]"},
		{file: "[default]\nsecret-of-somebody\n", wrong: "line 2: neither"},
		{file: "a=b\n", wrong: "outside of any section"},
	} {
		name := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(name, []byte(c.file), 0o400); err != nil {
			t.Fatal(err)
		}
		p, err := LoadProfile(name, c.name)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), "secret-of") {
				t.Errorf("profile %q: error %v, want %q", c.name, err, c.wrong)
			}
			continue
		}
		if err != nil {
			t.Errorf("profile %q: %v", c.name, err)
			continue
		}
		creds, err := p.Credentials(context.Background())
		if p.credentials = nil; *p != c.want {
			t.Errorf("profile %q: %+v, want %+v", c.name, p, c.want)
		}
		if c.noKey == "" && (err != nil || creds != c.creds) {
			t.Errorf("profile %q: credentials %v, %v", c.name, creds, err)
		}
		if c.noKey != "" && (err == nil || !strings.Contains(err.Error(), c.noKey)) {
			t.Errorf("profile %q: error %v, want %q", c.name, err, c.noKey)
		}
	}
	name := filepath.Join(t.TempDir(), "config")
	for file, want := range map[string]string{v1: "default", v2: "broken,default,dev,empty,loop,old,public,role", "a=b": ""} {
		if err := os.WriteFile(name, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		names, err := ProfileNames(name)
		if strings.Join(names, ",") != want || (err == nil) != (want != "") {
			t.Errorf("names %q, %v; want %s", names, err, want)
		}
	}
	t.Setenv("OSSUTIL_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	if _, err := LoadProfile("", ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// An error of credentials says once that it is the library's.
func TestErrorNamesLibraryOnce(t *testing.T) {
	t.Setenv("OSS_ACCESS_KEY_ID", "")
	c, err := NewClient("http://127.0.0.1:1", WithRegion("cn-hangzhou"), WithCredentials(EnvironmentCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.ListBuckets(context.Background(), &ListBucketsRequest{})
	if want := "oss: ListBuckets: OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET are not both set"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
