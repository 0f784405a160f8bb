package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// TestHarmForgetInUploads: whoever is forgotten is in no upload any more, in
// letters of any kind and in workbooks, and uploads of others stay.
func TestHarmForgetInUploads(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, nil).serveUploads()
	ann := u.signedIn("ann")
	file := func(order, address string) string {
		return usualHeader + "\n" + order + "," + ago(time.Hour) + "," + address + ",MUG,1,5\n"
	}
	wide := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(file("4", "Gone@Example.com"))) {
		wide = append(wide, byte(unit), byte(unit>>8))
	}
	book := newBook()
	book.text("xl/worksheets/sheet1.xml", sheetOf(textRow(1, strings.Split(usualHeader, ",")...)+textRow(2, "5", ago(time.Hour), "gone@example.com", "MUG", "1", "5")))
	paths := map[string]string{}
	for name, content := range map[string][]byte{
		"gone": []byte(file("1", "gone@example.com")), "stays": []byte(file("2", "stays@example.com")), "wide": wide, "book": book.bytes(t),
		"number": []byte(file("777", "other@example.com")), "longer": []byte(file("7770", "another@example.com")),
	} {
		paths[name] = ann.upload(http.StatusOK, name, content)
	}
	_, out, errs := makegood(t, "forget", "--email", "gone@example.com", "--order", "777", "-c", u.file())
	u.contains(out+errs, "4 uploads that named them were removed")
	for name, want := range map[string]int{"gone": 404, "wide": 404, "book": 404, "number": 404, "stays": 200, "longer": 200} {
		ann.get(want, paths[name])
	}
	if ann.get(http.StatusOK, "/uploads/"); strings.Count(ann.page, `<th scope="row">`) != 2 {
		t.Errorf("the list: %s", readAloud(ann.page))
	}
}
