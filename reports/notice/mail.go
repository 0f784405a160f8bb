package notice

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/wneessen/go-mail"
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
// wants to be asked much later, and the next run does.
func (m Mail) Notify(ctx context.Context, message Message) error {
	letter, err := m.letter(message)
	if err != nil {
		return err
	}
	client, err := m.client()
	if err != nil {
		return fmt.Errorf("prepare mail to %s: %w", m.Host, err)
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("connect to mail server %s:%d: %w", m.Host, m.Port, err)
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // whatever it waits for, it waits no longer
	if err := client.SendWithSMTPClient(conn, letter); err != nil {
		_ = conn.Close() // the first error is the one to tell
		return fmt.Errorf("send mail by %s: %w", m.Host, err)
	}
	_ = client.CloseWithSMTPClient(conn) // the server has the mail
	return nil
}

func (m Mail) letter(message Message) (*mail.Msg, error) {
	letter := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := letter.From(m.From); err != nil {
		return nil, fmt.Errorf("write mail: the address in from cannot be used")
	}
	if err := letter.To(m.To...); err != nil {
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

func (m Mail) client() (*mail.Client, error) {
	options := []mail.Option{mail.WithPort(m.Port), mail.WithTimeout(oneStage), mail.WithTLSConfig(&tls.Config{ServerName: m.Host, RootCAs: m.Roots, MinVersion: tls.VersionTLS12})}
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
