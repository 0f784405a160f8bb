package reports_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestPagesAreAccessible looks the golden pages over in a real browser, on
// three widths, light and dark: with a check of the project's own, and with
// axe-core where MAKEGOOD_TEST_AXE names its package (npm pack
// axe-core@4.14.1), which stays out of the repository for its licence and size.
func TestPagesAreAccessible(t *testing.T) {
	ctx := browser(t)
	own, err := os.ReadFile("testdata/accessible.js")
	if err != nil {
		t.Fatal(err)
	}
	axe := axeScript(t)
	pages, err := filepath.Glob("testdata/golden/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no golden pages: %v", err)
	}
	for _, path := range pages {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(filepath.Base(path)+" "+scheme, func(t *testing.T) {
				for _, width := range []int64{360, 800, 1400} {
					open(t, ctx, path, scheme, width)
					for _, fault := range ask[[]string](t, ctx, string(own)) {
						t.Errorf("%d wide: %s", width, fault)
					}
				}
				if axe == "" {
					return
				}
				if err := carryOut(ctx, axe); err != nil {
					t.Fatal(err)
				}
				faults, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](runAxe, chromedp.EvalAwaitPromise))
				if err != nil {
					t.Fatal(err)
				}
				for _, fault := range faults {
					t.Errorf("axe: %s", fault)
				}
			})
		}
	}
}

// runAxe lists what all rules of axe find, those of good practice included.
const runAxe = `axe.run(document, {preload: false}).then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + " (" + v.impact + "): " + n.html.slice(0, 200) + " " + n.failureSummary)))`

// axePackage is the SHA-512 of axe-core-4.14.1.tgz.
const axePackage = "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5"

// axeScript takes axe out of the package that was named; "" without one.
func axeScript(t *testing.T) string {
	t.Helper()
	path := os.Getenv("MAKEGOOD_TEST_AXE")
	if path == "" {
		return ""
	}
	packed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha512.Sum512(packed); hex.EncodeToString(sum[:]) != axePackage {
		t.Fatalf("%s is not axe-core 4.14.1", path)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(unzipped); ; {
		header, err := files.Next()
		if err != nil {
			t.Fatalf("find axe.min.js in %s: %v", path, err)
		}
		if header.Name != "package/axe.min.js" {
			continue
		}
		script, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		return string(script) + "\n;0"
	}
}

// carryOut runs a script that ends with a number.
func carryOut(ctx context.Context, script string) error {
	_, err := chromedp.Run(ctx, chromedp.Evaluate[int](script))
	return err
}

// open shows a page in a colour scheme and a width.
func open(t *testing.T, ctx context.Context, path, scheme string, width int64) {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	err = chromedp.Do(ctx, chromedp.EmulateViewport(width, 800), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}), chromedp.Navigate("file://"+full))
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheCheckFindsFaults spoils a page in ways that the check must see.
func TestTheCheckFindsFaults(t *testing.T) {
	ctx := browser(t)
	own, err := os.ReadFile("testdata/accessible.js")
	if err != nil {
		t.Fatal(err)
	}
	for fault, spoil := range map[string]string{
		"no language":           `document.documentElement.lang = ""`,
		"heading after h1":      `document.querySelector("h2").outerHTML = "<h4>x</h4>"`,
		"id twice":              `document.body.insertAdjacentHTML("beforeend", "<p id='d1'></p>")`,
		"no name":               `document.querySelector("[role=region]").removeAttribute("aria-label")`,
		"picture without words": `document.querySelector("svg.time desc").remove()`,
		"table without caption": `document.querySelector("caption").remove()`,
		"contrast of":           `document.querySelector("h1").style.color = "#bbbbbb"`,
		"focus is not seen":     `document.querySelector("a").style.outline = "none"`,
		"wider than the window": `document.querySelector("main").style.width = "9000px"`,
		"row of":                `document.querySelector("tbody tr").cells[1].remove()`,
	} {
		open(t, ctx, "testdata/golden/outage.html", "light", 800)
		if err := carryOut(ctx, spoil+";0"); err != nil {
			t.Fatal(err)
		}
		if found := strings.Join(ask[[]string](t, ctx, string(own)), "\n"); !strings.Contains(found, fault) {
			t.Errorf("%s is not seen after %s; found %s", fault, spoil, found)
		}
	}
}
