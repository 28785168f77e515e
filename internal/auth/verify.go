package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ossastore/ossa/internal/sign"
)

// Verify finds out who signed a request, at a time and for a region, by the
// access keys that there are. What is wrong with the claim is a *sign.Error; any
// other error is no fault of the sender. Keys that are Noters are told.
func Verify(ctx context.Context, keys Keys, claim *sign.Claim, signed *sign.Request, now time.Time, region string) (Identity, error) {
	if err := claim.CheckTime(now); err != nil {
		return Identity{}, err
	}
	key, err := keys.Lookup(ctx, claim.AccessKeyID, claim.SecurityToken)
	if err != nil {
		return Identity{}, keyError(claim.AccessKeyID, err)
	}
	if err := claim.CheckScope(region); err != nil {
		return Identity{}, err
	}
	if err := claim.CheckSignature(signed, key.Secret); err != nil {
		return Identity{}, err
	}
	if noter, ok := keys.(Noter); ok {
		noter.Used(key.Identity)
	}
	return key.Identity, nil
}

// keyError words a failed look-up of an access key.
func keyError(id string, err error) error {
	switch {
	case errors.Is(err, ErrUnknownKey):
		return sign.UnknownAccessKey(id)
	case errors.Is(err, ErrDisabledKey):
		return sign.DisabledAccessKey(id)
	case errors.Is(err, ErrInvalidToken):
		return sign.InvalidToken()
	case errors.Is(err, ErrExpiredToken):
		return sign.ExpiredToken()
	case errors.Is(err, ErrMismatchedToken):
		return sign.MismatchedToken()
	}
	return fmt.Errorf("look up access key: %w", err)
}
