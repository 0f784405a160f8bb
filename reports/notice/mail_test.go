package notice

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"testing"
	"time"
)

// postOffice is a mail server that takes letters as it is told to.
type postOffice struct {
	net.Listener
	cert     tls.Certificate
	starttls bool
	refuses  string // what it says to RCPT; "" takes it
	full     string // whose mailbox takes nothing
	forgets  bool   // it ends when a letter was taken
	silent   bool   // it takes connections and says nothing

	auth    string
	to      []string
	letters []string
	over    chan struct{}
}

// certificate is one that only roots trusts.
func certificate(t *testing.T) (cert tls.Certificate, roots *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// open opens a post office for one visitor.
func open(t *testing.T, p *postOffice, inTLS bool) (port int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.Listener, p.over = l, make(chan struct{})
	if inTLS {
		p.Listener = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{p.cert}})
	}
	go func() {
		defer close(p.over)
		conn, err := p.Accept()
		if err != nil {
			return
		}
		defer func() { conn.Close() }()
		p.serve(&conn)
	}()
	t.Cleanup(func() { l.Close(); <-p.over })
	_, text, _ := net.SplitHostPort(l.Addr().String())
	port, _ = strconv.Atoi(text)
	return port
}

func (p *postOffice) serve(conn *net.Conn) {
	r := bufio.NewReader(*conn)
	say := func(lines ...string) { fmt.Fprint(*conn, strings.Join(lines, "\r\n")+"\r\n") }
	if p.silent {
		_, _ = r.ReadString('\n')
		return
	}
	say("220 mail")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			if p.starttls {
				say("250-mail", "250-STARTTLS", "250 AUTH PLAIN LOGIN")
			} else {
				say("250-mail", "250 AUTH PLAIN LOGIN")
			}
		case "STARTTLS":
			say("220 go on")
			secure := tls.Server(*conn, &tls.Config{Certificates: []tls.Certificate{p.cert}})
			*conn, r, p.starttls = secure, bufio.NewReader(secure), false
		case "AUTH":
			p.auth = strings.TrimPrefix(rest, "PLAIN ")
			say("235 welcome")
		case "RCPT":
			p.to = append(p.to, rest)
			if p.refuses != "" {
				say(p.refuses)
				continue
			}
			if p.full != "" && strings.Contains(rest, p.full) {
				say("552 no room for " + p.full)
				continue
			}
			say("250 ok")
		case "DATA":
			say("354 go on")
			var letter strings.Builder
			for text, _ := r.ReadString('\n'); text != ".\r\n" && text != ""; text, _ = r.ReadString('\n') {
				letter.WriteString(text)
			}
			p.letters = append(p.letters, letter.String())
			say("250 taken")
			if p.forgets {
				return
			}
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func TestMail(t *testing.T) {
	cert, roots := certificate(t)
	for how, auth := range map[string]bool{"starttls": true, "tls": true, "none": false} {
		p := &postOffice{cert: cert, starttls: how == "starttls"}
		m := Mail{Host: "127.0.0.1", Port: open(t, p, how == "tls"), TLS: how, From: "makegood <makegood@example.com>", To: []string{"night-desk@example.com", "b@example.com"}, Roots: roots}
		if auth {
			m.Username, m.Password = "makegood", "SECRET"
		}
		if err := m.Notify(t.Context(), sample()); err != nil {
			t.Errorf("%s: %v", how, err)
			continue
		}
		<-p.over
		if want := base64.StdEncoding.EncodeToString([]byte("\x00makegood\x00SECRET")); auth && p.auth != want {
			t.Errorf("%s: signed in with %q", how, p.auth)
		}
		if len(p.letters) != 2 || strings.Join(p.to, " ") != "TO:<night-desk@example.com> TO:<b@example.com>" {
			t.Fatalf("%s: %v to %v", how, p.letters, p.to)
		}
		letter, err := mail.ReadMessage(strings.NewReader(p.letters[0]))
		if err != nil {
			t.Fatal(err)
		}
		h := letter.Header
		if h.Get("Subject") != "makegood (production): A person is needed: 3 messages refused by activate." || h.Get("Auto-Submitted") != "auto-generated" ||
			h.Get("Date") == "" || h.Get("Message-Id") == "" || !strings.HasPrefix(h.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: got %v", how, h)
		}
		if !strings.Contains(p.letters[0], "makegood resolve") || strings.Contains(p.letters[0], "SECRET") {
			t.Errorf("%s: got %s", how, p.letters[0])
		}
	}
}

// TestMailFaults: what does not work is said without a password or an address,
// and nothing goes in the clear that must not.
func TestMailFaults(t *testing.T) {
	cert, roots := certificate(t)
	for name, c := range map[string]struct {
		office postOffice
		mail   Mail
		want   string
	}{
		"nobody to trust":   {postOffice{starttls: true}, Mail{TLS: "starttls"}, "certificate"},
		"no TLS to be had":  {postOffice{}, Mail{TLS: "starttls", Roots: roots}, "STARTTLS"},
		"an unknown person": {postOffice{starttls: true, refuses: "550 nobody"}, Mail{TLS: "starttls", Roots: roots}, `550 "nobody"`},
	} {
		p := c.office
		p.cert = cert
		m := c.mail
		m.Host, m.Port, m.Username, m.Password = "127.0.0.1", open(t, &p, false), "makegood", "SECRET"
		m.From, m.To = "makegood@example.com", []string{"night-desk@example.com"}
		err := m.Notify(t.Context(), sample())
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "night-desk") {
			t.Errorf("%s: %v", name, err)
		}
		if c.mail.Roots == nil || !c.office.starttls {
			if p.auth != "" {
				t.Errorf("%s: the password went in the clear, or to anybody: %s", name, p.auth)
			}
		}
	}
	for _, m := range []Mail{{From: "nobody", To: []string{"a@example.com"}}, {From: "a@example.com", To: []string{"canary person"}}} {
		if err := m.Notify(t.Context(), sample()); err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "nobody") {
			t.Errorf("got %v", err)
		}
	}
}

// TestMailToSeveral: one mailbox that takes nothing keeps no letter from the
// others, nor does a server that says no more once it has it.
func TestMailToSeveral(t *testing.T) {
	test, both := (&Board{}).testMessage(time.Time{}), []string{"night-desk@example.com", "b@example.com"}
	for name, c := range map[string]struct {
		office  postOffice
		message Message
		to      []string
		letters int
		told    bool
	}{
		"one is full":            {postOffice{full: "night-desk"}, sample(), both, 1, true},
		"one is full in a test":  {postOffice{full: "night-desk"}, test, both, 1, false},
		"it hangs up":            {postOffice{forgets: true}, sample(), both, 1, true},
		"it hangs up at the end": {postOffice{forgets: true}, test, both[:1], 1, true},
		"nobody is known":        {postOffice{refuses: "550 nobody"}, sample(), both, 0, false},
	} {
		p := c.office
		m := Mail{Host: "127.0.0.1", Port: open(t, &p, false), TLS: "none", From: "makegood@example.com", To: c.to}
		err := m.Notify(t.Context(), c.message)
		<-p.over
		if (err == nil) != c.told || len(p.letters) != c.letters || err != nil && strings.Contains(err.Error(), "night-desk@") {
			t.Errorf("%s: %v, %d letters", name, err, len(p.letters))
		}
	}
}

// TestMailEnds: a server that never says anything is left when the time is up.
func TestMailEnds(t *testing.T) {
	p := &postOffice{silent: true}
	m := Mail{Host: "127.0.0.1", Port: open(t, p, false), TLS: "none", From: "makegood@example.com", To: []string{"night-desk@example.com"}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- m.Notify(ctx, sample()) }()
	select {
	case err := <-done:
		if err == nil {
			t.Error("it was taken")
		}
	case <-time.After(5 * time.Second):
		t.Error("it waits on although the time is up")
	}
}
