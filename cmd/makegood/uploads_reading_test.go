package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
)

// TestUploadReadAnew: where a file leaves doubt how it is read, the page says how
// it was and takes another word for it, and what cannot be leaves it as it was.
func TestUploadReadAnew(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, nil).serveUploads()
	ben := u.signedIn("ben")

	// Two sheets with tables, and the second one is the right one.
	book := newBook()
	book.text("xl/workbook.xml", xmlHead+`<workbook xmlns="`+sheetsNS+`" xmlns:r="`+officeDoc+`"><sheets><sheet name="Last year" sheetId="1" r:id="rId1"/><sheet name="Orders" sheetId="2" r:id="rId3"/></sheets></workbook>`)
	book.text("xl/_rels/workbook.xml.rels", xmlHead+`<Relationships xmlns="`+officeMap+`"><Relationship Id="rId1" Type="`+officeDoc+`/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId3" Type="`+officeDoc+`/worksheet" Target="worksheets/sheet2.xml"/></Relationships>`)
	book.text("xl/worksheets/sheet2.xml", sheetOf(textRow(1, "Export of the shop")+textRow(2, "made by hand", "for us", "all")+
		textRow(3, strings.Split(usualHeader, ",")...)+textRow(4, "2001", ago(3*time.Hour), "ann@example.com", "MUG", "1", "7.50")))
	path := ben.upload(http.StatusOK, "two.xlsx", book.bytes(t))
	ben.shows("How the file was read: sheet Last year, columns named in row 1")
	ben.shows(`<details class="card" open>`)
	ben.shows("1001")
	ben.post(http.StatusOK, path+"/read", url.Values{"sheet": {"Orders"}, "header_row": {"3"}})
	page := ben.waits(path)
	ben.shows("How the file was read: sheet Orders, columns named in row 3")
	ben.shows("2001")
	for _, wrong := range []url.Values{{"sheet": {"Nowhere"}}, {"header_row": {"0"}}, {"header_row": {"x"}}, {"header_row": {"-1"}}, {"encoding": {"ebcdic"}}, {"delimiter": {"a"}}} {
		ben.post(http.StatusUnprocessableEntity, path+"/read", wrong)
		ben.shows("no way to read this file")
	}
	ben.post(http.StatusOK, path+"/read", url.Values{"sheet": {"Orders"}, "header_row": {"900"}})
	ben.waits(path)
	ben.shows("It is shown as it was read before.")
	if !strings.Contains(page, "2001") {
		t.Errorf("it is read as %s", readAloud(page))
	}
	ben.contains(sums(ben.preview(path, nil)), "to send 1/1/1 7.50 EUR")
	ben.sends(path)
	u.wantsPlatform("activate", "2001 7.5 EUR")

	// Letters that two alphabets can stand for, and lines above the header.
	text, err := charmap.Windows1250.NewEncoder().String("Objednávky;;;;;\n" + strings.ReplaceAll(usualHeader, ",", ";") + "\n3001;" + ago(3*time.Hour) + ";ann@example.com;HRNEK kačenka;1;9,50\n")
	check(t, err)
	path = ben.upload(http.StatusOK, "czech.csv", []byte(text))
	ben.shows(`<details class="card" open>`)
	ben.shows("was read as Windows-1252")
	if strings.Contains(ben.page, "kačenka") {
		t.Error("the letters are right already: nothing is asked")
	}
	ben.post(http.StatusOK, path+"/read", url.Values{"encoding": {"windows-1250"}, "header_row": {"2"}, "delimiter": {";"}})
	ben.waits(path)
	ben.shows("HRNEK kačenka")
	ben.contains(sums(ben.preview(path, nil)), "to send 1/1/1 9.50 EUR")

	// One reading alone: nothing is asked.
	ben.upload(http.StatusOK, "plain.csv", usualFile())
	ben.shows(`<details class="card"><summary>How the file was read, columns named in row 1`)
}

// TestUploadWithAPassword: a protected workbook says so, and what to do.
func TestUploadWithAPassword(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(projectFile(t, filepath.Join("..", "shared", "data", "xlsx_corpus", "excelize", "encryptSHA1.xlsx")))
	if err != nil {
		t.Skipf("the workbooks are not there: %v", err)
	}
	u := uploadShop(t, nil).serveUploads()
	ann := u.signedIn("ann")
	ann.upload(http.StatusOK, "secret.xlsx", content)
	ann.shows("The workbook is protected with a password; save a copy of it without a password, and upload that.")
	u.wantsPlatform("activate", "")
}

// TestUploadAsksWhatHasNoDefault: what the configuration answers stands beside
// what the file suggests, and where the two do not agree the page says so.
func TestUploadAsksWhatHasNoDefault(t *testing.T) {
	t.Parallel()
	s := uploadShop(t, nil)
	s.source("shop", fields{"vat": "included", "order_unique": "always"})
	u := s.serveUploads()
	ann := u.signedIn("ann")
	ann.upload(http.StatusOK, "a.csv", []byte(strings.Replace(string(usualFile()), usualHeader, "id,paid,email,sku,n,Price excl. VAT", 1)))
	page := readAloud(ann.page)
	for _, words := range []string{
		"Are its prices with VAT? Yes, with VAT. Look at it: The column &#34;Price excl. VAT&#34; looks like prices without VAT.",
		"Does an order number stand for one order? Yes, always. Your file: It names no stores and no tills.",
		"Who else sends such orders to activate? Nobody: whatever was not sent from here is new there.",
		"May these customers be written about to a marketing platform? Yes, all of them: a test. Your file: It has no column that looks like a permission.",
	} {
		ann.contains(page, words)
	}
	ann.upload(http.StatusOK, "b.csv", []byte(strings.Replace(string(usualFile()), usualHeader, "id,paid,email,Newsletter opt-in,n,Store", 1)))
	page = readAloud(ann.page)
	ann.contains(page, "Look at it: It has the column &#34;Store&#34;: stores and tills often begin their numbers anew.")
	ann.contains(page, "Look at it: It has the column &#34;Newsletter opt-in&#34;: some customers may have said no.")
}
