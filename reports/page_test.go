package reports

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"makegood/reconcile"
)

func pageOf(t *testing.T, r reconcile.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, Build(r, Options{})); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var outside = regexp.MustCompile(`(?i)<script|<link|<img|<iframe|@import|https?:|\bsrc=|url\([^#]|\son[a-z]+=|ZgotmplZ`)

func TestPageNeedsNothingElse(t *testing.T) {
	for _, s := range samples {
		if found := outside.FindString(pageOf(t, s.make())); found != "" {
			t.Errorf("%s: the page holds %q", s.name, found)
		}
	}
}

// TestPageIsWellFormed says that every element that must be closed is closed.
func TestPageIsWellFormed(t *testing.T) {
	for _, s := range samples {
		d := xml.NewDecoder(strings.NewReader(pageOf(t, s.make())))
		d.Entity = xml.HTMLEntity
		var err error
		for err == nil {
			_, err = d.Token()
		}
		if err != io.EOF {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}

func TestPageIsAccessible(t *testing.T) {
	for _, s := range samples {
		text := pageOf(t, s.make())
		for _, want := range []string{`<html lang="en">`, "<header", "<main>", "<footer>", "<h1>", "prefers-color-scheme: dark", "@media print"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page lacks %s", s.name, want)
			}
		}
		if tables, captions := strings.Count(text, "<table"), strings.Count(text, "<caption"); tables != captions {
			t.Errorf("%s: %d tables and %d captions", s.name, tables, captions)
		}
		if th, scope := strings.Count(text, "<th "), strings.Count(text, "<th scope="); th != scope || strings.Contains(text, "<th>") {
			t.Errorf("%s: %d of %d table headers say what they head", s.name, scope, th)
		}
		if bars, described := strings.Count(text, `role="img"`), strings.Count(text, "<desc"); bars != described {
			t.Errorf("%s: %d bars and %d descriptions", s.name, bars, described)
		}
	}
}

func TestPageSaysTheFirstLine(t *testing.T) {
	for _, s := range samples {
		text := html.UnescapeString(pageOf(t, s.make()))
		lead, rest, _ := strings.Cut(FirstLine(Build(s.make(), Options{})), ": ")
		if want := "<h1>" + lead + ": <span>" + rest + "</span></h1>"; !strings.Contains(text, want) {
			t.Errorf("%s: the page lacks %s", s.name, want)
		}
	}
}

func TestPageEscapes(t *testing.T) {
	r := bad()
	r.Targets[0].Stopped = `<b onclick="x">`
	r.Sources[0].Bad[0].Problems[0].Text = `</td><script>`
	text := pageOf(t, r)
	if strings.Contains(text, "<b onclick") || strings.Contains(text, "<script") {
		t.Error("a file's text becomes part of the page")
	}
}

func TestBarFillsItsWidth(t *testing.T) {
	for _, s := range samples {
		for _, target := range Build(s.make(), Options{}).Targets {
			at := 0.0
			for _, seg := range bar(target.Balance) {
				x, width := number64(t, seg.X), number64(t, seg.Width)
				if math.Abs(x-at) > 0.01 || width < 0.5 {
					t.Errorf("%s: %s begins at %g after %g, %g wide", s.name, seg.Bucket, x, at, width)
				}
				at = x + width
			}
			if math.Abs(at-100) > 0.01 {
				t.Errorf("%s: the bar of %s is %g%% wide", s.name, target.Target, at)
			}
		}
	}
	if got := bar(Balance{}); got != nil {
		t.Errorf("a bar of nothing: %v", got)
	}
}

func number64(t *testing.T, percent string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(strings.TrimSuffix(percent, "%"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestContrast computes WCAG contrast of the style's own colours: 4.5 is AA.
func TestContrast(t *testing.T) {
	style, err := templates.ReadFile("templates/style.html")
	if err != nil {
		t.Fatal(err)
	}
	schemes := regexp.MustCompile(`:root \{([^}]*)\}`).FindAllStringSubmatch(string(style), -1)
	if len(schemes) != 3 {
		t.Fatalf("found %d colour schemes, want light, dark and print", len(schemes))
	}
	for i, scheme := range schemes {
		colours := map[string]string{}
		for _, c := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6})`).FindAllStringSubmatch(scheme[1], -1) {
			colours[c[1]] = c[2]
		}
		pairs := [][2]string{{"on-accent", "accent"}}
		for _, ink := range []string{"ink", "muted", "accent", "red", "warn"} {
			pairs = append(pairs, [2]string{ink, "page"}, [2]string{ink, "card"})
		}
		for _, p := range pairs {
			if c := contrast(t, colours[p[0]], colours[p[1]]); c < 4.5 {
				t.Errorf("scheme %d: %s on %s has contrast %.2f", i, p[0], p[1], c)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	var rgb [3]int
	if _, err := fmt.Sscanf(colour, "#%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2]); err != nil {
		t.Fatalf("colour %q: %v", colour, err)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(rgb[i]) / 255
		if c <= 0.03928 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}
