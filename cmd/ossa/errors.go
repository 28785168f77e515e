package main

import (
	"cmp"
	"fmt"
	"strings"
)

// Exit statuses, as the help tells them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitPartly      = 3   // some of it was done; a report lists the rest
	exitInterrupted = 130 // by a signal; what goes on was printed
)

// What the help of commands says of exit statuses: of all, of those that tell
// what a signal has left, and of those that do many things.
const (
	statusHelp = `Exit status: 0 if all went well, 1 if something failed, 2 if the command line or
the environment cannot be understood.`

	statusHelpSignal = `Exit status: 0 if all went well, 1 if something failed, 2 if the command line or
the environment cannot be understood, 130 if a signal ended it.`

	statusHelpPartly = `Exit status: 0 if all went well, 1 if something failed, 2 if the command line or
the environment cannot be understood, 3 if a part failed (a report lists it), 130
if a signal ended it (the command that goes on, or begins anew, is printed).`
)

// helpOf is the long help of a command: what it does, and its exit statuses.
func helpOf(short, long, statuses string) string {
	return cmp.Or(strings.TrimPrefix(long, "\n"), short+".") + "\n\n" + statuses
}

// errorText is an error for people. That the library said it need not be told.
func errorText(err error) string { return printable(strings.TrimPrefix(err.Error(), "oss: ")) }

// usageError is a command line that cannot be obeyed, whatever the data is.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// interruptedError is a command that a signal ended.
type interruptedError struct {
	err     error
	outlook string // what becomes of it, for people
}

func (e *interruptedError) Error() string { return "interrupted" + e.outlook }
func (e *interruptedError) Unwrap() error { return e.err }

// partlyError is a command that did some of its work; report names the file
// that lists the rest.
type partlyError struct {
	failed int
	report string
}

func (e *partlyError) Error() string {
	return fmt.Sprintf("%d could not be done; they are listed in %s", e.failed, e.report)
}
