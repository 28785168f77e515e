package auth

import (
	"fmt"
	"strings"
)

// Simulate answers whether a sender may do an action to a resource, as Decide
// does, from texts as people write them. Who asks, in which circumstances, and
// the bucket's policy and ACLs are taken from r. Which statement decided is in
// the Decision's String.
func (a *Authorizer) Simulate(r Request, action, resource string) (Decision, error) {
	if _, ok := splitAction(action); !ok || strings.ContainsAny(action, "*?") {
		return Decision{}, fmt.Errorf("%q is no action such as oss:GetObject", action)
	}
	parsed, err := ParseResource(resource)
	if err != nil {
		return Decision{}, err
	}
	r.Action, r.Resource = action, parsed
	return a.Decide(r), nil
}
