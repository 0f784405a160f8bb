package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// shotsVariable names a folder that pictures of the pages are left in.
const shotsVariable = "MAKEGOOD_TEST_SHOTS"

// guest is somebody with a real browser and a keyboard.
type guest struct {
	*uploading
	ctx      context.Context
	look     string        // of what is wrong with a page: a script
	patience time.Duration // with a page that is under way
}

func (u *uploading) guest() *guest {
	u.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("MAKEGOOD_TEST_REQUIRE"), ","), "chromium") {
			u.Fatal("chromium is required and not installed")
		}
		u.Skip("chromium is not installed")
	}
	script, err := os.ReadFile(projectFile(u.T, "reports/testdata/accessible.js"))
	check(u.T, err)
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.UserDataDir(u.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	u.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	u.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 20*time.Minute)
	u.Cleanup(cancel)
	return &guest{uploading: u, ctx: ctx, look: string(script), patience: time.Minute}
}

func (g *guest) do(steps ...chromedp.Action[chromedp.Void]) {
	g.Helper()
	if err := chromedp.Do(g.ctx, steps...); err != nil {
		g.Fatalf("%v\n%s", err, g.errs.String())
	}
}

func asks[T any](g *guest, expression string) T {
	g.Helper()
	answer, err := chromedp.Run(g.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		g.Fatalf("%s: %v", expression, err)
	}
	return answer
}

// tabTo presses the tab key until something has the focus.
func (g *guest) tabTo(selector string) {
	g.Helper()
	for range 120 {
		if asks[bool](g, fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) {
			return
		}
		g.do(chromedp.KeyEvent(kb.Tab))
	}
	g.Fatalf("the tab key does not lead to %s: %s", selector, readAloud(asks[string](g, `document.body.innerHTML`)))
}

// until waits until a page is there whose title begins so. It gives what was said
// of the work that was waited for.
func (g *guest) until(title string) (heard string) {
	g.Helper()
	said := ""
	for begun := time.Now(); time.Since(begun) < g.patience; time.Sleep(50 * time.Millisecond) {
		answer, err := chromedp.Run(g.ctx, chromedp.Evaluate[[]string](`document.readyState !== "complete" ? ["", "", ""] :
			["h1", "p[role=alert]", ".busy"].map(at => document.querySelector(at)?.innerText ?? "")`))
		if err != nil { // between two pages there is none to ask
			continue
		}
		if said = answer[0]; said != "" && strings.HasPrefix(said, title) {
			return heard
		}
		if answer[1] != "" {
			break
		}
		if !strings.HasSuffix(heard, answer[2]) {
			heard += "\n" + answer[2]
		}
	}
	g.Fatalf("the page is %q, want %q\n%s\n%s", said, title, asks[string](g, `document.querySelector("main").innerText`), g.errs.String())
	return heard
}

// seen looks a page over, light and dark, on a telephone and on a screen; with
// -short, light on the one and dark on the other.
func (g *guest) seen(name string) {
	g.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{360, 1400} {
			if testing.Short() && (scheme == "light") != (width == 360) {
				continue
			}
			g.do(chromedp.EmulateViewport(width, 800), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
				if _, err := cdp.Call(ctx, target, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
					return err
				}
				_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
				return err
			}))
			for _, fault := range asks[[]string](g, g.look) {
				if strings.HasPrefix(fault, "2 of script, iframe, img, link, object, not 0") {
					continue // the style and the picture of the page, which a report has in itself
				}
				g.Errorf("%s, %s, %d wide: %s", name, scheme, width, fault)
			}
			if dir := os.Getenv(shotsVariable); dir != "" {
				picture, err := chromedp.Run(g.ctx, chromedp.FullScreenshot(100))
				check(g.T, err)
				check(g.T, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%s-%d.png", name, scheme, width)), picture, 0o600))
			}
		}
	}
}

// signsIn signs in with the keyboard alone.
func (g *guest) signsIn(name string) {
	g.Helper()
	g.do(chromedp.Navigate(g.url + "/uploads/"))
	g.until("Sign in")
	g.tabTo(`[name=name]`)
	g.do(chromedp.KeyEvent(name))
	g.tabTo(`[name=password]`)
	g.do(chromedp.KeyEvent(uploadPassword), chromedp.KeyEvent(kb.Enter))
	g.until("Uploads")
}

// TestUploadInABrowser goes the whole way in a real browser, with the keyboard
// alone but for the choice of the file, and a second person approves.
func TestUploadInABrowser(t *testing.T) {
	u := uploadShop(t, fields{"second_person": true}).serveUploads()
	at := ago(3 * time.Hour)
	file := write(t, u.dir, "november.csv", "Bestelnummer;Betaald op;E-mailadres;Artikel;Aantal;Stukprijs;Opmerking\n"+strings.Join([]string{
		"1001;" + at + ";ann@example.com;MUG;1;12,50;", "1002;" + at + ";ben@example.com;MUG;2;10,00;cadeau", "1002;" + at + ";ben@example.com;CUP;1;5,25;",
		"1003;" + at + ";cleo@example.com;MUG;veel;12,50;", "1004;" + ago(-30*time.Hour) + ";cleo@example.com;MUG;1;1012,50;",
	}, "\n")+"\n")
	g := u.guest()
	g.do(chromedp.Navigate(g.url + "/uploads/"))
	g.until("Sign in")
	g.seen("1-sign-in")
	g.signsIn("ann")
	g.seen("2-uploads")
	g.do(chromedp.SetUploadFiles(chromedp.CSS(`[name=file]`), []string{file}))
	g.tabTo("main button")
	g.do(chromedp.KeyEvent(kb.Enter))
	g.until("Columns")
	g.seen("3-columns")
	g.tabTo("select[name=column-1]")
	g.do(chromedp.KeyEvent("paid or comp"))
	if is := asks[string](g, `document.activeElement.value`); is != "completed_at" {
		t.Errorf("the keyboard chose %q", is)
	}
	g.tabTo("main form:not(.remove):not(.reading) > button")
	g.do(chromedp.KeyEvent(kb.Enter))
	g.until("Preview")
	g.seen("4-preview")
	if said := asks[string](g, `document.querySelector("main").innerText`); !strings.Contains(said, "somebody with the role approver has it sent") || !strings.Contains(said, "37.75 EUR") {
		t.Errorf("the preview says %s", said)
	}
	address := asks[string](g, `location.pathname`)
	g.tabTo("header button")
	g.do(chromedp.KeyEvent(kb.Enter))
	g.until("Sign in")
	u.wantsPlatform("activate", "")

	g.signsIn("ben")
	g.tabTo(fmt.Sprintf("a[href=%q]", address))
	g.do(chromedp.KeyEvent(kb.Enter))
	g.until("Preview")
	g.tabTo("a.button")
	g.do(chromedp.KeyEvent(kb.Enter))
	g.until("Send this plan?")
	g.seen("5-approval")
	g.tabTo("[name=looked]")
	g.do(chromedp.KeyEvent(" "))
	g.tabTo("main button")
	g.do(chromedp.KeyEvent(kb.Enter))
	g.until("Sent")
	g.seen("6-sent")
	u.wantsPlatform("activate", "1001 12.5 EUR, 1002 25.25 EUR")
	g.tabTo("a.button")
	g.do(chromedp.KeyEvent(kb.Enter))
	g.until("A person is needed: ")
	g.seen("7-report")
	g.do(chromedp.Navigate(g.url + "/uploads/" + strings.Repeat("0", 32)))
	g.until("Not found")
	g.seen("8-not-found")
}
