package notice

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"time"

	"github.com/wneessen/go-mail"

	"makegood/reports"
)

// Mail tells people by e-mail.
type Mail struct {
	Host     string
	Port     int
	TLS      string // starttls, tls, or none: for servers that are near
	Username string // "" signs nobody in
	Password string
	From     string
	To       []string
	Roots    *x509.CertPool // whom to trust; nil: whom the system trusts
}

// oneStage is how long each of connecting and sending may take.
const oneStage = 10 * time.Second

// Notify implements Notifier. It tries once: a mail server that has no time
// wants to be asked much later, and the next run does. Each person gets a letter
// of their own, so that a mailbox that is full or gone keeps nobody else from
// theirs; somebody was told when one was taken. A test wants all of them taken.
func (m Mail) Notify(ctx context.Context, message Message) error {
	letters, err := m.letters(message)
	if err != nil {
		return err
	}
	var conn net.Conn // closed here: the client leaves it open when it does not get far
	client, err := m.client(ctx, &conn)
	if err != nil {
		return fmt.Errorf("prepare mail by %s: %w", m.Host, err)
	}
	defer func() {
		if conn != nil {
			_ = conn.Close() // the letters are there, or another error is told
		}
	}()
	post, err := client.DialToSMTPClientWithContext(ctx)
	if err == nil {
		err = client.SendWithSMTPClient(post, letters...)
		_ = client.CloseWithSMTPClient(post) // what the server has, it has
	}
	taken := 0
	for _, letter := range letters {
		if letter.IsDelivered() {
			taken++
		}
	}
	if err == nil || taken == len(letters) || taken > 0 && message.Why != Tested {
		return nil
	}
	return fmt.Errorf("mail by %s:%d: %s", m.Host, m.Port, reports.Mask(err.Error())) // servers repeat addresses
}

// dial opens the connection that a client works on. It ends with ctx.
func (m Mail) dial(ctx context.Context, config *tls.Config, conn *net.Conn) mail.DialContextFunc {
	return func(dialling context.Context, network, address string) (net.Conn, error) {
		opened, err := new(net.Dialer).DialContext(dialling, network, address)
		if err != nil {
			return nil, err
		}
		*conn = opened
		context.AfterFunc(ctx, func() { _ = opened.Close() }) // whatever waits for it, waits no longer
		if m.TLS == "tls" {
			return tls.Client(opened, config), nil
		}
		return opened, nil
	}
}

func (m Mail) letters(message Message) ([]*mail.Msg, error) {
	var letters []*mail.Msg
	for _, to := range m.To {
		letter, err := m.letter(message, to)
		if err != nil {
			return nil, err
		}
		letters = append(letters, letter)
	}
	return letters, nil
}

func (m Mail) letter(message Message, to string) (*mail.Msg, error) {
	letter := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := letter.From(m.From); err != nil {
		return nil, fmt.Errorf("write mail: the address in from cannot be used")
	}
	if err := letter.To(to); err != nil {
		return nil, fmt.Errorf("write mail: an address in to cannot be used")
	}
	subject := "makegood: " + message.Subject
	if message.Shop != "" {
		subject = "makegood (" + message.Shop + "): " + message.Subject
	}
	letter.Subject(subject)
	letter.SetDate()
	letter.SetMessageID()
	letter.SetGenHeader("Auto-Submitted", "auto-generated") // no answers by machines (RFC 3834)
	letter.SetBodyString(mail.TypeTextPlain, message.Text+"\n")
	return letter, nil
}

func (m Mail) client(ctx context.Context, conn *net.Conn) (*mail.Client, error) {
	config := &tls.Config{ServerName: m.Host, RootCAs: m.Roots, MinVersion: tls.VersionTLS12}
	options := []mail.Option{mail.WithPort(m.Port), mail.WithTimeout(oneStage), mail.WithTLSConfig(config), mail.WithDialContextFunc(m.dial(ctx, config, conn))}
	switch m.TLS {
	case "none":
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	case "tls":
		options = append(options, mail.WithSSL())
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if m.Username != "" {
		options = append(options, mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthPlain, mail.SMTPAuthLogin, mail.SMTPAuthCramMD5),
			mail.WithUsername(m.Username), mail.WithPassword(m.Password))
	}
	return mail.NewClient(m.Host, options...)
}
