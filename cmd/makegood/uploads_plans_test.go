package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestUploadPlanRefused: between the preview and its approval the plan, or what
// it rests on, has moved. The page says so in the words of makegood apply, nothing
// is sent, and a new preview is asked for.
func TestUploadPlanRefused(t *testing.T) {
	t.Parallel()
	folder := func(u *uploading, path string) string {
		return filepath.Join(u.dir, "state", "uploads", filepath.Base(path))
	}
	for name, c := range map[string]struct {
		moves func(u *uploading, path, plan string)
		says  string
	}{
		"a byte of the plan": {func(u *uploading, _, plan string) {
			text, err := os.ReadFile(plan)
			check(u.T, err)
			check(u.T, os.WriteFile(plan, bytes.Replace(text, []byte("MUG"), []byte("CUP"), 1), 0o600))
		}, "The plan was altered after it was made"},
		"its signature": {func(u *uploading, _, plan string) {
			text, err := os.ReadFile(plan)
			check(u.T, err)
			at := bytes.Index(text, []byte(`"signature":"`)) + len(`"signature":"`)
			copy(text[at:], "00000000")
			check(u.T, os.WriteFile(plan, text, 0o600))
		}, "The plan was not made with this state_dir, or its signature was altered"},
		"another plan": {func(u *uploading, _, plan string) {
			cleo := u.signedIn("bea")
			other := cleo.upload(http.StatusOK, "other.csv", bytes.ReplaceAll(usualFile(), []byte("100"), []byte("200")))
			cleo.preview(other, nil)
			check(u.T, os.Rename(u.newestPlan(plan), plan))
		}, "The approval is of another plan; nothing was sent; make the preview again"},
		"the configuration": {func(u *uploading, _, _ string) {
			u.activate("activate", fields{"since": "2026-01-02"})
			u.file()
		}, "The configuration of activate is no longer the one that the plan was made with"},
		"an order": {func(u *uploading, path, _ string) {
			file := filepath.Join(folder(u, path), "file", "orders.csv")
			text, err := os.ReadFile(file)
			check(u.T, err)
			check(u.T, os.WriteFile(file, bytes.Replace(text, []byte("12.50"), []byte("13.50"), 1), 0o600))
		}, "No longer what the plan saw: 1 of its messages"},
		"the ledger": {func(u *uploading, _, _ string) {
			u.csv("shop.csv", usualHeader, strings.Split(strings.TrimSpace(string(usualFile())), "\n")[1:]...)
			setFaults(u.T, u.sim, "status=422")
			u.run(exitPerson)
			setFaults(u.T, u.sim)
		}, "The ledger has moved since the plan was made: others worked on 2 of its messages"},
		"it was applied": {func(u *uploading, path, plan string) {
			setFaults(u.T, u.sim, "status=422")
			kept, err := os.ReadFile(plan)
			check(u.T, err)
			code, out, errs := makegood(u.T, "apply", plan, "-c", u.file())
			if code == exitDone || !strings.Contains(errs+out, "moved") { // the source's own files have none of these orders
				u.Errorf("exit %d\n%s%s", code, errs, out)
			}
			digest := planOf.FindStringSubmatch(u.signedIn("ben").get(http.StatusOK, path+"/approve"))
			if code, _, errs := makegood(u.T, "upload", "apply", folder(u, path), "--plan", plan, "--digest", digest[1], "--by", "ben", "-c", u.file()); code != exitPerson {
				u.Errorf("exit %d\n%s", code, errs)
			}
			setFaults(u.T, u.sim)
			check(u.T, os.WriteFile(plan, kept, 0o600))
		}, "The plan was already applied, by run "},
		"it was applied, and is gone": {func(u *uploading, path, plan string) {
			setFaults(u.T, u.sim, "status=422")
			digest := planOf.FindStringSubmatch(u.signedIn("ben").get(http.StatusOK, path+"/approve"))
			if code, _, errs := makegood(u.T, "upload", "apply", folder(u, path), "--plan", plan, "--digest", digest[1], "--by", "ben", "-c", u.file()); code != exitPerson {
				u.Errorf("exit %d\n%s", code, errs)
			}
			setFaults(u.T, u.sim)
		}, "The plan was already applied, by run "},
		"it is gone": {func(u *uploading, _, plan string) { check(u.T, os.Remove(plan)) }, "There is no plan "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := uploadShop(t, nil)
			s.csv("shop.csv", usualHeader, "1,"+ago(time.Hour)+",fay@example.com,MUG,1,5")
			u := s.serveUploads()
			u.T = t
			ben := u.signedIn("ben")
			path := ben.upload(http.StatusOK, "orders.csv", usualFile())
			ben.preview(path, nil)
			page := ben.get(http.StatusOK, path+"/approve")
			c.moves(u, path, u.newestPlan(""))
			digest := planOf.FindStringSubmatch(page)
			ben.post(http.StatusOK, path+"/approve", map[string][]string{"digest": {digest[1]}, "looked": {"yes"}})
			page = ben.waits(path)
			if said := readAloud(page); !strings.Contains(said, c.says) || !strings.Contains(said, "Make the preview again") {
				t.Errorf("the page lacks %q: %s", c.says, said)
			}
			u.wantsPlatform("activate", "")
		})
	}
}

// newestPlan is the one that was made last, but for one.
func (u *uploading) newestPlan(other string) string {
	u.Helper()
	plans, err := filepath.Glob(filepath.Join(u.dir, "state", "uploads", "*", "plan", "*.plan"))
	check(u.T, err)
	for i := len(plans) - 1; i >= 0; i-- {
		if plans[i] != other {
			return plans[i]
		}
	}
	u.Fatal("there is no plan")
	return ""
}

// TestUploadSamePlanTwice: a preview that is made anew of the same file, with
// nothing moved in between, is the same plan with the same digest. So an approval
// on a page that somebody has still open means what it says, byte for byte, and is
// taken by design; it is sent once, by whichever of the two pages says so first,
// and also where the same file was uploaded twice.
func TestUploadSamePlanTwice(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, nil).serveUploads()
	ben := u.signedIn("ben")
	digestOf := func(path string) string {
		t.Helper()
		found := planOf.FindStringSubmatch(ben.get(http.StatusOK, path+"/approve"))
		if found == nil {
			t.Fatalf("no plan is named: %s", ben.page)
		}
		return found[1]
	}
	file := usualFile()
	path := ben.upload(http.StatusOK, "orders.csv", file)
	ben.preview(path, nil)
	old := digestOf(path)
	ben.preview(path, nil)
	twin := ben.upload(http.StatusOK, "again.csv", file)
	ben.preview(twin, nil)
	if now, other := digestOf(path), digestOf(twin); now != old || other != old {
		t.Errorf("the same file gives the plans %s, %s and %s", old, now, other)
	}
	approves := map[string][]string{"digest": {old}, "looked": {"yes"}}
	ben.post(http.StatusOK, path+"/approve", approves)
	ben.contains(ben.waits(path), "Approved by ben")
	u.wantsPlatform("activate", "1001 12.5 EUR, 1002 25 EUR")
	ben.post(http.StatusForbidden, path+"/approve", approves)
	ben.post(http.StatusOK, twin+"/approve", approves)
	if said := sums(ben.waits(twin)); !strings.HasPrefix(said, "sent 0/0/0") || !strings.Contains(said, "sent before 3/2/2") {
		t.Errorf("the plan was carried out twice: %s", said)
	}
	u.end()
	u.wantsPlatform("activate", "1001 12.5 EUR, 1002 25 EUR")
}
