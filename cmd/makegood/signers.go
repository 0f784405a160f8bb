package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"makegood/config"
	"makegood/reconcile"
	"makegood/reconcile/ledger"
)

// seals gives a runner the key that it signs plans with, and whose plans and
// approvals count. file is --key; "" is plans.key.
func seals(r *reconcile.Runner, cfg *config.Config, file string) error {
	p := cfg.Plans
	if p == nil {
		p = &config.Plans{}
	}
	r.Signers, r.Approvers = signersOf(p.Signers), signersOf(p.Approvers)
	path := cmp.Or(file, p.Key)
	if path == "" {
		return nil
	}
	own, err := readKeyFile(path)
	if err == nil && len(r.Signers) > 0 && !slices.ContainsFunc(r.Signers, func(s reconcile.Signer) bool { return s.Key.Equal(own.Public()) }) {
		err = fmt.Errorf("plans that are signed with %s would be refused: write its public key %s into plans.signers", path, publicText(own))
	}
	switch {
	case err != nil && file != "":
		return &usageError{command: "makegood plan", err: err}
	case err != nil:
		return &configError{fmt.Errorf("plans.key: %w", err)}
	}
	r.PlanKey = own
	return nil
}

func signersOf(listed map[string]config.PublicKey) (list []reconcile.Signer) {
	for _, name := range slices.Sorted(maps.Keys(listed)) {
		list = append(list, reconcile.Signer{Name: name, Key: listed[name].Key})
	}
	return list
}

// approver is a runner for whoever approves plans with a key file, on any
// machine: it needs no ledger, no source and no destination. The key of
// state_dir, where there is one, says which plans were made here.
func (a *app) approver(cfg *config.Config) (*reconcile.Runner, error) {
	r := &reconcile.Runner{Clock: a.clock, Zone: zoneOf(cfg), StateDir: cfg.StateDir}
	if err := seals(r, &config.Config{Plans: public(cfg.Plans)}, ""); err != nil {
		return nil, err
	}
	key, err := ledger.ReadPersonKey(filepath.Join(cfg.StateDir, "person.key"))
	switch {
	case err == nil:
		r.Key = key
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case len(r.Signers) == 0:
		return nil, &configError{errors.New("nobody is listed whose plans are taken: write the public key of the machine that makes them into plans.signers")}
	}
	return r, nil
}

// public is what a configuration says of others. An own key that signs plans
// says whose plans are taken, too.
func public(p *config.Plans) *config.Plans {
	if p == nil || len(p.Signers) == 0 {
		return p
	}
	return &config.Plans{Signers: p.Signers, Approvers: p.Approvers}
}
