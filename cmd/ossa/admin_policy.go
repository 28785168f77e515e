package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/internal/admin"
)

func adminPolicyCommand(c *adminConfig) *cobra.Command {
	return group("policy", "Policies: put, ls, show, rm, attach, detach, simulate, example",
		`Named policies in the language of RAM policies. They give rights to the users
that they are attached to, from the answer of the command on.`,
		c.leaf("put NAME FILE", "Make a policy of a document, or replace it", `
Make a policy of the JSON document in FILE, "-" for stdin. If there is one of the
name, its document is replaced, for all users who have it.`,
			"  ossa admin policy put upload-builds upload.json\n  ossa admin policy example read-only --bucket builds | ossa admin policy put read-builds -",
			(*adminSession).policyPut),
		c.leaf("ls", "List policies", "", "  ossa admin policy ls", (*adminSession).policyList),
		c.leaf("show NAME", "Print the document of a policy", "", "  ossa admin policy show upload-builds > upload.json", (*adminSession).policyShow),
		policyRemoveCommand(c),
		c.leaf("attach POLICY USER", "Give a user the rights of a policy", "", "  ossa admin policy attach upload-builds ci", (*adminSession).policyAttach),
		c.leaf("detach POLICY USER", "Take the rights of a policy from a user", "", "  ossa admin policy detach upload-builds ci", (*adminSession).policyDetach),
		policySimulateCommand(c), policyExampleCommand(),
	)
}

func (s *adminSession) policyPut(args []string) error {
	document, err := s.readPolicy(args[1])
	if err != nil {
		return err
	}
	var p admin.Policy
	req, done := admin.PolicyRequest{Name: args[0], Document: document}, "made"
	err = s.call("CreatePolicy", req, &p)
	if isCode(err, "EntityAlreadyExists.Policy") {
		done = "replaced"
		err = s.call("UpdatePolicy", req, &p)
	}
	if err != nil {
		return err
	}
	if s.json {
		return s.print(userPolicyEntryOf(p))
	}
	s.say("%s policy %s", done, p.Name)
	return nil
}

func (s *adminSession) policyList([]string) error {
	var rows [][]string
	marker := ""
	for {
		var page admin.ListPoliciesResult
		if err := s.call("ListPolicies", admin.ListRequest{Marker: marker}, &page); err != nil {
			return err
		}
		for _, p := range page.Policies {
			if s.json {
				if err := s.print(userPolicyEntryOf(p)); err != nil {
					return err
				}
			}
			rows = append(rows, []string{p.Name, strconv.Itoa(p.Attached), when(p.Created), when(p.Updated)})
			marker = p.Name
		}
		if !page.Truncated || len(page.Policies) == 0 {
			break
		}
	}
	if s.json {
		return nil
	}
	return s.table("NAME USERS CREATED UPDATED", rows)
}

func (s *adminSession) policyShow(args []string) error {
	var p admin.Policy
	if err := s.call("GetPolicy", admin.NameRequest{Name: args[0]}, &p); err != nil {
		return err
	}
	if s.json {
		return s.print(userPolicyEntryOf(p))
	}
	_, err := fmt.Fprintln(s.stdout, strings.TrimRight(p.Document, "\r\n"))
	return err
}

func policyRemoveCommand(c *adminConfig) *cobra.Command {
	force := false
	command := c.leaf("rm NAME", "Delete a policy", `
Delete a policy that no user has. With --force it is detached from all users
first, one after the other.`,
		"  ossa admin policy rm upload-builds",
		func(s *adminSession, args []string) error { return s.policyRemove(args[0], force) })
	command.Flags().BoolVarP(&force, "force", "f", false, "detach it from all users first")
	return command
}

func (s *adminSession) policyRemove(name string, force bool) error {
	if force {
		err := s.eachUser(func(u admin.User) error {
			if !slices.Contains(u.Policies, name) {
				return nil
			}
			err := s.call("DetachPolicyFromUser", admin.AttachRequest{User: u.Name, Policy: name}, nil)
			if isCode(err, "EntityNotExist.User.Policy") || isCode(err, "EntityNotExist.User") {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := s.call("DeletePolicy", admin.NameRequest{Name: name}, nil); err != nil {
		return err
	}
	s.say("deleted policy %s", name)
	return nil
}

func (s *adminSession) policyAttach(args []string) error {
	if err := s.call("AttachPolicyToUser", admin.AttachRequest{User: args[1], Policy: args[0]}, nil); err != nil {
		return err
	}
	s.say("attached policy %s to user %s", args[0], args[1])
	return nil
}

func (s *adminSession) policyDetach(args []string) error {
	if err := s.call("DetachPolicyFromUser", admin.AttachRequest{User: args[1], Policy: args[0]}, nil); err != nil {
		return err
	}
	s.say("detached policy %s from user %s", args[0], args[1])
	return nil
}

// simulateConfig is what a simulation is told.
type simulateConfig struct {
	user, action, resource string
	anonymous              bool
	policy                 string
	ip, userAgent, at      string
	secure                 bool
	conditions             []string
}

func policySimulateCommand(c *adminConfig) *cobra.Command {
	var sim simulateConfig
	command := c.leaf("simulate", "Tell whether a user may do something, and which statement decides", `
Tell whether a user may do something to a resource, and which statement decides.
The user's policies are asked, the policy of the bucket, and the ACLs of bucket
and object, as they are now. Nothing is done, and to be denied is no failure.`,
		`  ossa admin policy simulate --user ci --action oss:PutObject --resource oss://builds/a.tar
  ossa admin policy simulate --user ci --action oss:ListObjects --resource oss://builds -k oss:Prefix=2026/
  ossa admin policy simulate --anonymous --action oss:GetObject --resource oss://builds/a.tar --ip 192.0.2.7 --secure`,
		func(s *adminSession, _ []string) error { return s.policySimulate(sim) })
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&sim.user, "user", "", "`name` of the user who asks")
	flags.BoolVar(&sim.anonymous, "anonymous", false, "nobody asks: the request is not signed")
	flags.StringVar(&sim.policy, "policy", "", "`file` of the policy of a session that the user has begun")
	flags.StringVar(&sim.action, "action", "", "`action`, such as oss:PutObject")
	flags.StringVar(&sim.resource, "resource", "", "`resource`: oss://bucket/key, oss://bucket, or acs:oss:*:*:bucket/key")
	flags.StringVar(&sim.ip, "ip", "", "`address` of the client")
	flags.BoolVar(&sim.secure, "secure", false, "the request comes over TLS")
	flags.StringVar(&sim.at, "time", "", "`time` of the request, such as 2026-01-02T15:04:05Z; default now")
	flags.StringVar(&sim.userAgent, "user-agent", "", "`text` of the header User-Agent")
	flags.StringArrayVarP(&sim.conditions, "condition", "k", nil, "`key=value` of a further condition key, such as oss:Prefix=a/; may be repeated")
	return command
}

func (s *adminSession) policySimulate(sim simulateConfig) error {
	req, err := sim.request()
	if err != nil {
		return err
	}
	if sim.policy != "" {
		if req.Policy, err = s.readPolicy(sim.policy); err != nil {
			return err
		}
	}
	var res admin.SimulateResult
	if err := s.call("SimulatePolicy", req, &res); err != nil {
		return err
	}
	if s.json {
		return s.print(decisionEntryOf(res))
	}
	s.say("%s", res.Decision)
	if len(res.Text) > 0 {
		var text bytes.Buffer
		if json.Indent(&text, res.Text, "  ", "  ") == nil {
			s.say("  %s", text.String())
		}
	}
	for _, note := range res.Notes {
		fmt.Fprintln(s.stderr, "ossa: note:", note)
	}
	return nil
}

func (sim *simulateConfig) request() (req admin.SimulateRequest, err error) {
	switch {
	case (sim.user == "") != sim.anonymous:
		return req, usagef("name a --user or say --anonymous, one of both")
	case sim.action == "" || sim.resource == "":
		return req, usagef("--action and --resource must be given, such as --action oss:GetObject --resource oss://bucket/key")
	}
	req = admin.SimulateRequest{
		User: sim.user, Anonymous: sim.anonymous, Action: sim.action, Resource: resourceOf(sim.resource),
		SourceIP: sim.ip, Secure: sim.secure, UserAgent: sim.userAgent, Conditions: map[string][]string{},
	}
	if sim.at != "" {
		at, err := time.Parse(time.RFC3339, sim.at)
		if err != nil {
			return req, usagef("--time: %q is no time such as 2026-01-02T15:04:05Z", sim.at)
		}
		req.Time = &at
	}
	for _, condition := range sim.conditions {
		key, value, ok := strings.Cut(condition, "=")
		if !ok {
			return req, usagef("--condition: %q is not key=value", condition)
		}
		req.Conditions[key] = append(req.Conditions[key], value)
	}
	return req, nil
}

// resourceOf is the name that policies have for oss://bucket/key.
func resourceOf(text string) string {
	path, ok := strings.CutPrefix(text, "oss://")
	switch {
	case !ok:
		return text
	case path == "":
		return "acs:oss:*:*:*"
	}
	if bucket, key, _ := strings.Cut(path, "/"); key == "" {
		path = bucket
	}
	return "acs:oss:*:*:" + path
}
