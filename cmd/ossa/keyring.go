package main

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/engine"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/store"
)

// addKeyRingFlag adds --keyring; more is what the command does with the file.
func addKeyRingFlag(flags *pflag.FlagSet, file *string, more string) {
	flags.StringVar(file, "keyring", "",
		"key ring `file`"+more+", or \"off\" for none; default keyring in the data directory (OSSA_KEYRING)")
}

// validKeyRing makes the path one that stays right in messages.
func validKeyRing(file *string) error {
	if *file == "" || *file == off {
		return nil
	}
	path, err := filepath.Abs(*file)
	if err != nil {
		return fmt.Errorf("--keyring: %w", err)
	}
	*file = path
	return nil
}

// openKeyRing opens the key ring of a data directory, nil when it is off.
func openKeyRing(file, data string, log *slog.Logger) (*kms.Local, error) {
	if file == off {
		return nil, nil
	}
	if file == "" {
		file = engine.KeyRingFile(vfs.Default, data)
	}
	ring, err := kms.Open(vfs.Default, file, kms.Options{Logger: log})
	if err != nil {
		return nil, fmt.Errorf("--keyring: %w", err)
	}
	return ring, nil
}

// ringAdvice is what to do where the data needs another key ring.
func ringAdvice(err error) string {
	if errors.Is(err, store.ErrWrongRing) {
		return "\n  --keyring FILE names where the copy is; --keyring off goes without"
	}
	return ""
}

// orNone is a ring, or one without keys.
func orNone(ring *kms.Local) kms.KeyRing {
	if ring == nil {
		return kms.None{}
	}
	return ring
}
