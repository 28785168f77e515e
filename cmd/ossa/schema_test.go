package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// lineSchema is a row of the table of lines in docs/cli.md.
type lineSchema struct {
	types    []string
	commands []string        // that print it; none: reports
	fields   map[string]bool // may it be left out?
	within   []string        // names of what is in fields
}

var (
	quotedWord = regexp.MustCompile("`([^`]+)`(\\??)")
	inBrackets = regexp.MustCompile(`\([^)]*\)`)
)

// readSchema reads the table.
func readSchema(t *testing.T) []lineSchema {
	t.Helper()
	page, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "| `type` | Printed by | Fields |\n|---|---|---|\n")
	table, _, ends := strings.Cut(table, "\n\n")
	if !found || !ends {
		t.Fatal("docs/cli.md has no table of lines")
	}
	words := func(text string) (all []string) {
		for _, m := range quotedWord.FindAllStringSubmatch(text, -1) {
			all = append(all, m[1])
		}
		return all
	}
	var rows []lineSchema
	for row := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		if len(cells) != 3 {
			t.Fatalf("docs/cli.md: not a row of three: %s", row)
		}
		l := lineSchema{types: words(cells[0]), commands: words(cells[1]), fields: map[string]bool{"type": false}}
		for _, inside := range inBrackets.FindAllString(cells[2], -1) {
			l.within = append(l.within, words(inside)...)
		}
		for _, m := range quotedWord.FindAllStringSubmatch(inBrackets.ReplaceAllString(cells[2], ""), -1) {
			l.fields[m[1]] = m[2] == "?"
		}
		rows = append(rows, l)
	}
	return rows
}

func (l *lineSchema) String() string {
	return fmt.Sprintf("%s of %s", strings.Join(l.types, ", "), strings.Join(l.commands, ", "))
}

// printedBy tells whether a command prints such lines.
func (l *lineSchema) printedBy(command string) bool {
	return slices.ContainsFunc(l.commands, func(c string) bool {
		c, _, _ = strings.Cut(c, " --")
		return c == command
	}) || len(l.commands) == 0 && command == "reports"
}

// wrong says what is wrong with a line; "" is nothing.
func (l *lineSchema) wrong(line map[string]any) string {
	for name := range line {
		if _, known := l.fields[name]; !known {
			return "the field " + name + " is not documented"
		}
	}
	for name, optional := range l.fields {
		if _, there := line[name]; !there && !optional {
			return "the field " + name + " is missing"
		}
	}
	return ""
}

// linesOf are the types of what is printed for machines, and a line of each: the
// types and the first command of their rows.
var linesOf = map[string]any{
	"bucket ls": bucketEntry{}, "bucket stat": bucketDetails{}, "object ls": objectEntry{}, "object stat": objectDetails{},
	"prefix ls": prefixEntry{}, "upload uploads ls": uploadEntry{}, "part uploads parts": partEntry{}, "transfer cp": transferEntry{},
	"progress cp": progressEntry{}, "summary cp": summaryEntry{}, "created mb": createdEntry{}, "metadata set-meta": metadataEntry{}, "deleted rm": deletedEntry{},
	"aborted uploads abort": abortedEntry{}, "usage du": bucketUsage{}, "url presign": urlEntry{}, "hash hash": hashEntry{},
	"restore restore": restoreEntry{}, "acl acl get": aclEntry{}, "tag tag get": tagEntry{}, "lifecycle_rule lifecycle get": lifecycleEntry{},
	"due lifecycle simulate": dueEntry{}, "cors_rule cors get": corsEntry{}, "policy policy get": policyEntry{}, "referer referer get": refererEntry{},
	"encryption encryption get": encryptionDocument{}, "configuration lifecycle put": configurationEntry{}, "cname cname get": cnameEntry{},
	"profile config set": profileEntry{}, "check doctor": checkEntry{}, "failure reports": transfer.Failure{},
	"user admin user add": userEntry{}, "access_key admin key add": accessKeyEntry{}, "user_policy admin policy put": userPolicyEntry{},
	"decision admin policy simulate": decisionEntry{}, "session admin sts assume": sessionEntry{}, "ring_key admin keyring ls": ringKeyEntry{},
	"store check": storeEntry{},
}

// The table of docs/cli.md and the types that are printed have the same fields,
// and leave the same ones out. A name has one kind of value, whatever line it is in.
func TestSchema(t *testing.T) {
	known := maps.Clone(linesOf)
	kinds := map[string]reflect.Kind{}
	for _, row := range readSchema(t) {
		command := "reports"
		if len(row.commands) > 0 {
			command = row.commands[0]
		}
		name := row.types[0] + " " + command
		v := known[name]
		if v == nil {
			t.Errorf("docs/cli.md has lines %q that no type is for", name)
			continue
		}
		delete(known, name)
		fields := map[string]bool{}
		var within []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if tag == "" {
				continue // embedded
			}
			fields[tag] = options != ""
			within = append(within, namesWithin(f.Type)...)
			kind := valueKind(f.Type)
			if before, there := kinds[tag]; there && before != kind {
				t.Errorf("%s: %s is %v, and elsewhere %v", name, tag, kind, before)
			}
			kinds[tag] = kind
		}
		if !maps.Equal(fields, row.fields) {
			t.Errorf("%s: docs/cli.md has %v, printed is %v", name, row.fields, fields)
		}
		for _, w := range within {
			if !slices.Contains(row.within, w) {
				t.Errorf("%s: docs/cli.md does not tell of %s within a field", name, w)
			}
		}
	}
	for name := range known {
		t.Errorf("docs/cli.md lacks %q", name)
	}
}

// namesWithin are the fields of what is in a field.
func namesWithin(typ reflect.Type) (names []string) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() {
		return nil
	}
	for _, f := range reflect.VisibleFields(typ) {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, tag)
	}
	return names
}

// valueKind is what JSON makes of a type.
func valueKind(typ reflect.Type) reflect.Kind {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case typ == reflect.TypeFor[time.Time]():
		return reflect.String
	case typ.Kind() == reflect.Struct:
		return reflect.Map
	case typ.ConvertibleTo(reflect.TypeFor[float64]()):
		return reflect.Float64
	}
	return typ.Kind()
}

// machineCommands are command lines that --json goes with, in their order. What
// is written as {name} stands for a value of the test.
const machineCommands = `
mb oss://scripts
cp tree oss://scripts/tree -r --exclude gone
cp tree oss://scripts/tree -r -u
cp tree/a oss://scripts/frozen --storage-class Archive --meta a=b --tags x=y
cp tree/a oss://scripts/n --dry-run
cp no/such/file oss://scripts/n
cp oss://scripts/none here
sync tree oss://scripts/synced
sync tree2 oss://scripts/synced --delete
cp -r oss://scripts/ down --report {dir}/cp.jsonl
ls
ls oss://scripts
ls -r oss://scripts
ls --all-versions oss://scripts
ls --uploads oss://scripts
stat oss://scripts
stat oss://scripts/frozen
cat oss://scripts/tree/a
du oss://scripts
presign oss://scripts/tree/a
presign oss://scripts/n --method PUT
hash tree/a
uploads ls oss://scripts -l
uploads parts oss://scripts/open
uploads clean oss://scripts --older-than 0s --dry-run
uploads abort oss://scripts/open
uploads abort oss://scripts/open2 --all
restore oss://scripts/frozen
restore oss://scripts/frozen oss://scripts/tree/a --report {dir}/restore.jsonl
acl get oss://scripts
acl set oss://scripts/tree/a private
acl get oss://scripts/tree/a
tag set oss://scripts/tree/a a=b c=d
tag get oss://scripts/tree/a
tag rm oss://scripts/tree/a a
set-meta oss://scripts/tree/a x-oss-meta-a:b
acl set -r oss://scripts/tree private
tag set -r oss://scripts/tree a=b
tag rm -r oss://scripts/tree
set-meta -r oss://scripts/tree Expires:never
mkdir oss://scripts/dir
lifecycle put oss://scripts rules.xml
lifecycle get oss://scripts
lifecycle simulate oss://scripts --at 2099-01-01
lifecycle rm oss://scripts
cors put oss://scripts cors.xml
cors get oss://scripts
cors rm oss://scripts
policy put oss://scripts policy.json
policy get oss://scripts
policy rm oss://scripts
referer put oss://scripts referer.xml
referer get oss://scripts
referer rm oss://scripts
encryption set oss://scripts --sse AES256
encryption get oss://scripts
stat oss://scripts
encryption put oss://scripts encryption.xml
cp tree/a oss://scripts/sealed
stat oss://scripts/sealed
encryption rm oss://scripts
cname put oss://scripts files.example.com
cname get oss://scripts
cname rm oss://scripts files.example.com
config set p --endpoint http://127.0.0.1:1 --access-key-id x --secret-file tree/a
config ls
config show p
config rm p
doctor oss://scripts
doctor oss://none
admin user add ci
admin user ls
admin key add ci
admin key ls
admin key enable ci {key}
admin key disable ci {key}
admin user show ci
admin policy put some user.json
admin policy ls
admin policy show some
admin policy attach some ci
admin policy simulate --user ci --action oss:GetObject --resource oss://scripts/a
admin policy simulate --user ci --action oss:PutObject --resource oss://scripts/a
admin policy detach some ci
admin policy rm some
admin policy example read-only --bucket scripts
admin user disable ci
admin user enable ci
admin user revoke-sessions ci
admin key rm ci {key}
admin user rm ci
admin sts assume --policy user.json
admin keyring create another
admin keyring rotate
admin keyring ls
rm oss://scripts/tree/a
rm -r oss://scripts/tree --dry-run
rb -r oss://scripts
check --data {dir}/data
`

// machineFiles are what those commands read.
var machineFiles = map[string]string{
	"tree/a": "a", "tree/b/c": "c", "tree/gone": "gone", "tree2/a": "a", "tree2/b/c": "C",
	"rules.xml": `<LifecycleConfiguration><Rule><ID>r</ID><Prefix></Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>` +
		`<AbortMultipartUpload><Days>1</Days></AbortMultipartUpload></Rule></LifecycleConfiguration>`,
	"cors.xml": `<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>`,
	"policy.json": `{"Version":"1","Statement":[{"Effect":"Allow","Action":["oss:GetObject"],"Principal":["*"],` +
		`"Resource":["acs:oss:*:*:scripts/*"]}]}`,
	"user.json":      `{"Version":"1","Statement":[{"Effect":"Allow","Action":["oss:GetObject"],"Resource":["*"]}]}`,
	"referer.xml":    `<RefererConfiguration><AllowEmptyReferer>true</AllowEmptyReferer><RefererList><Referer>http://a.example</Referer></RefererList></RefererConfiguration>`,
	"encryption.xml": `<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>`,
}

// wordless are commands that have --json and print no lines: what they do is told
// by the exit status, or is the bytes of an object or a document.
var wordless = []string{
	"cat", "admin user rm", "admin user enable", "admin user disable", "admin user revoke-sessions", "admin key enable", "admin key disable",
	"admin key rm", "admin policy attach", "admin policy detach", "admin policy rm", "admin policy example", "admin keyring create", "admin keyring rotate",
}

// Whatever command is run with --json, each of its lines, and of the reports, is one
// that docs/cli.md tells of, with the fields that it tells of. All commands are run.
func TestMachineLines(t *testing.T) {
	s := startTerminalServer(t)
	for name, text := range machineFiles {
		s.file(name, 0)
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	rows := readSchema(t)
	seen := map[*lineSchema]bool{}
	check := func(command string, text []byte) (first map[string]any) {
		for line := range bytes.Lines(text) {
			var fields map[string]any
			if err := json.Unmarshal(line, &fields); err != nil {
				t.Errorf("ossa %s: %q is no object: %v", command, line, err)
				continue
			}
			i := slices.IndexFunc(rows, func(l lineSchema) bool {
				return slices.Contains(l.types, fmt.Sprint(fields["type"])) && l.printedBy(command)
			})
			if i < 0 {
				t.Errorf("ossa %s: docs/cli.md does not tell of %s", command, line)
				continue
			}
			seen[&rows[i]] = true
			if wrong := rows[i].wrong(fields); wrong != "" {
				t.Errorf("ossa %s: %s: %s", command, wrong, line)
			}
			if first == nil {
				first = fields
			}
		}
		return first
	}

	root := rootCommand()
	ran := map[string]bool{}
	values := []string{"{dir}", s.dir}
	for text := range strings.SplitSeq(strings.TrimSpace(machineCommands), "\n") {
		args := strings.Fields(strings.NewReplacer(values...).Replace(text))
		c, _, err := root.Find(args)
		if err != nil {
			t.Fatal(err)
		}
		command := strings.TrimPrefix(c.CommandPath(), "ossa ")
		ran[command] = true
		if command == "check" {
			s.stop()
		}
		process := s.command(append(args, "--json")...)
		var stderr bytes.Buffer
		process.Stderr = &stderr
		stdout, err := process.Output()
		if code := process.ProcessState.ExitCode(); code == exitUsage {
			t.Errorf("ossa %s: %v: %s", text, err, stderr.String())
		}
		if slices.Contains(wordless, command) {
			continue
		}
		first := check(command, stdout)
		switch command {
		case "admin key add":
			values = append(values, "{key}", fmt.Sprint(first["access_key_id"]))
		case "mb":
			openUploads(t, s, "open", "open2", "open3")
		}
	}
	reports, err := filepath.Glob(filepath.Join(s.dir, "*.jsonl"))
	if err != nil || len(reports) != 2 {
		t.Fatalf("%d reports, %v", len(reports), err)
	}
	for _, name := range reports {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		check("reports", text)
	}

	for i := range rows {
		if !seen[&rows[i]] && rows[i].types[0] != "progress" { // which takes a second
			t.Errorf("nothing printed %v", &rows[i])
		}
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		path := strings.TrimPrefix(c.CommandPath(), "ossa ")
		speaks := c.Flags().Lookup("json") != nil || c.InheritedFlags().Lookup("json") != nil
		if speaks && !c.HasSubCommands() && c.Name() != "help" && !ran[path] {
			t.Errorf("ossa %s --json was not run", path)
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
}

// openUploads begins uploads of a part each.
func openUploads(t *testing.T, s *terminalServer, keys ...string) {
	t.Helper()
	client := s.client()
	for _, key := range keys {
		up, err := client.InitiateMultipartUpload(t.Context(), &oss.InitiateMultipartUploadRequest{Bucket: "scripts", Key: key})
		if err != nil {
			t.Fatal(err)
		}
		q := &oss.UploadPartRequest{Bucket: "scripts", Key: key, UploadID: up.UploadID, PartNumber: 1, Body: strings.NewReader("part")}
		if _, err := client.UploadPart(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
}
