package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// workbookVariable has the whole Online Retail workbook uploaded, which takes
// minutes, in place of 20,032 lines of it.
const workbookVariable = "MAKEGOOD_TEST_WORKBOOK"

// retailUpload is a file of the Online Retail data, as it was counted by other
// means than makegood.
type retailUpload struct {
	file     string
	proposed bool   // its columns are those that the configuration names
	messages int    // orders that can be sent
	sums     string // of the preview
	marked   string // what the file with remarks begins with
}

// retailUploads are the German lines, and the whole workbook.
var retailUploads = map[bool]retailUpload{
	false: {
		file: "variant_de_semicolon_cp1252_crlf.csv", messages: 702, marked: "RechnungsNr;ArtikelNr;",
		sums: "to send 13 085/702/702 287 559.56 GBP\nsent before 0/0/0 &ndash;\nnot sendable 6 686/160/160 113 180.86 GBP\nfiltered out 261/104/0 -60 367.30 GBP\nin the file 20 032/966/862 340 373.12 GBP",
	},
	true: {
		file: "online_retail.xlsx", proposed: true, messages: 18356, marked: "PK\x03\x04",
		sums: "to send 395 174/18 356/18 356 8 785 927.524 GBP\nsent before 0/0/0 &ndash;\nnot sendable 137 444/3 705/3 705 1 869 694.96 GBP\nfiltered out 9 291/3 839/0 -907 874.55 GBP\nin the file 541 909/25 900/22 061 9 747 747.934 GBP",
	},
}

// retailPages is a shop whose people upload files of the Online Retail data.
func retailPages(t *testing.T) (*uploading, retailUpload) {
	t.Helper()
	s := uploadShop(t, fields{"second_person": true})
	said := retailUploads[os.Getenv(workbookVariable) != ""]
	number := "InvoiceNo"
	if !said.proposed {
		number = "RechnungsNr"
	}
	s.source("shop", fields{
		"zone": "Europe/London", "currency": "GBP", "columns": fields{"order": "InvoiceNo", "completed_at": "InvoiceDate", "customer": "CustomerID", "sku": "StockCode",
			"name": "Description", "quantity": "Quantity", "price": "UnitPrice"},
		"join": []fields{{"path": retail(t, "customers.csv"), "on": fields{"customer": "customer_id"}, "take": fields{"email": "email", "language": "language"}}},
		"leave_out": []fields{{"reason": "cancelled", "when": `row["` + number + `"] startsWith "C"`},
			{"reason": "bad_debt", "when": `row["` + number + `"] startsWith "A"`}},
	})
	s.activate("activate", fields{"since": "2010-01-01", "channels": []string{"online"}, "rate": "100000/s", "concurrency": 8})
	return s.serveUploads(), said
}

// TestUploadOfOnlineRetail takes a file of a real shop the whole way in a real
// browser: one person with the keyboard alone, the file's name too, and another
// one without script.
func TestUploadOfOnlineRetail(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long; the shorter ways through the page are gone")
	}
	for name, script := range map[string]bool{"keyboard": true, "no script": false} {
		t.Run(name, func(t *testing.T) {
			u, said := retailPages(t)
			g := u.guest()
			if said.proposed {
				g.patience = 10 * time.Minute
			}
			press := g.presses
			if !script {
				press = g.clicks
				g.scriptOff()
			}
			file := retail(t, said.file)
			g.entersAs("ann", press)
			g.takes(file, press)
			press("main form button")
			g.until("Columns")
			if !said.proposed {
				g.chooses("select[name=column-6]", "customer number", press)
			}
			g.seen(name + "-columns")
			press("main form:not(.remove):not(.reading) > button")
			live := g.until("Preview")
			g.reads(said.sums)
			g.seen(name + "-preview")
			address := asks[string](g, `location.pathname`)
			press("header button")
			g.until("Sign in")
			u.wantsPlatform("activate", "")

			g.entersAs("ben", press)
			press(fmt.Sprintf("a[href=%q]", address))
			g.until("Preview")
			press("a.button")
			g.until("Send this plan?")
			g.seen(name + "-approval")
			press("[name=looked]")
			press("main form button")
			live += g.until("Sent")
			g.reads(strings.Replace(said.sums, "to send", "sent", 1))
			g.seen(name + "-sent")
			if n := len(strings.Split(u.platform("activate"), ", ")); n != said.messages {
				t.Errorf("the platform has %d orders, want %d", n, said.messages)
			}
			if said.proposed && !strings.Contains(live, " of 18356") {
				t.Errorf("nobody was told how far it was: %q", live)
			}
			g.brings(press, said.marked)
			press("a.button")
			g.until("")
			g.seen(name + "-report")
		})
	}
}

// scriptOff keeps pages from running scripts.
func (g *guest) scriptOff() {
	g.Helper()
	g.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

// presses goes somewhere with the tab key, and presses what is there.
func (g *guest) presses(selector string) {
	g.Helper()
	g.tabTo(selector)
	key := kb.Enter
	if asks[bool](g, `document.activeElement.matches("[type=checkbox], [type=radio]")`) {
		key = " "
	}
	g.do(chromedp.KeyEvent(key))
}

func (g *guest) clicks(selector string) {
	g.Helper()
	g.do(chromedp.Click(chromedp.CSS(selector)))
}

// entersAs signs in.
func (g *guest) entersAs(name string, press func(string)) {
	g.Helper()
	g.do(chromedp.Navigate(g.url + "/uploads/"))
	g.until("Sign in")
	for field, text := range map[string]string{"name": name, "password": uploadPassword} {
		at := fmt.Sprintf("[name=%s]", field)
		g.tabTo(at)
		g.do(chromedp.KeyEvent(text))
	}
	press("main button")
	g.until("Uploads")
}

// takes chooses a file in the window that the browser opens for it.
func (g *guest) takes(file string, press func(string)) {
	g.Helper()
	asked := make(chan *page.EventFileChooserOpened, 1)
	check(g.T, chromedp.Listen(g.ctx, func(event any) {
		if opened, is := event.(*page.EventFileChooserOpened); is {
			asked <- opened
		}
	}))
	g.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: true})
		return err
	}))
	press("[name=file]")
	select {
	case opened := <-asked:
		g.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{file}, BackendNodeID: opened.BackendNodeID})
			return err
		}))
	case <-time.After(time.Minute):
		g.Fatal("no window for a file opened")
	}
}

// chooses takes what begins with a text in a list.
func (g *guest) chooses(selector, text string, press func(string)) {
	g.Helper()
	g.tabTo(selector)
	g.do(chromedp.KeyEvent(text))
	if is := asks[string](g, `document.activeElement.selectedOptions[0].innerText`); !strings.HasPrefix(is, text) {
		g.Errorf("chosen is %q, want %q", is, text)
	}
}

// reads wants these lines among the sums of the page, with thin spaces.
func (g *guest) reads(lines string) {
	g.Helper()
	got := strings.ReplaceAll(sums(asks[string](g, `document.querySelector("main").innerHTML`)), "\u202f", " ")
	for _, line := range strings.Split(lines, "\n") {
		if !strings.Contains(got+"\n", line+"\n") {
			g.Errorf("the page lacks %q:\n%s", line, got)
		}
	}
}

// brings takes the file with remarks back.
func (g *guest) brings(press func(string), begins string) {
	g.Helper()
	dir := g.TempDir()
	g.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir})
		return err
	}))
	press(`a[href$="/marked"]`)
	for begun := time.Now(); time.Since(begun) < g.patience; time.Sleep(50 * time.Millisecond) {
		found, err := filepath.Glob(filepath.Join(dir, "marked-orders.*"))
		check(g.T, err)
		if len(found) == 0 || strings.HasSuffix(found[0], ".crdownload") {
			continue
		}
		text, err := os.ReadFile(found[0])
		check(g.T, err)
		if !strings.HasPrefix(string(text), begins) {
			g.Errorf("the file with remarks begins with %q", text[:min(len(text), 60)])
		}
		return
	}
	g.Error("the file with remarks did not come")
}
