package upload

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"makegood/reports"
)

// receiveTime is how long a file may take to arrive.
const receiveTime = 20 * time.Minute

// Bounds of a request that brings a file: what stands around the file in it, and
// how much is read on of one that was refused, so that its browser, which answers
// nobody before it has sent everything, shows why.
const (
	aroundFile = 64 << 10
	maxDrained = 4 << 30
)

// list shows the uploads, and takes a new one.
func (p *Pages) list(w http.ResponseWriter, r *http.Request, u User) {
	list := p.store.list(func(one Upload) bool { return p.sees(u, one) })
	p.render(w, http.StatusOK, "list.html", view{Title: "Uploads", User: u, Data: map[string]any{
		"Uploads": p.rows(list[:min(len(list), 200)]), "MaxSize": sizeText(p.o.MaxSize), "Targets": strings.Join(p.o.Targets, ", ")}})
}

// listed is an upload in the list.
type listed struct{ ID, Name, By, At, State string }

func (p *Pages) rows(list []Upload) (rows []listed) {
	for _, u := range list {
		rows = append(rows, listed{u.ID, u.Name, u.By, p.at(u.At), stateWords(u)})
	}
	return rows
}

func (p *Pages) at(t time.Time) string { return t.In(p.o.Zone).Format("2006-01-02 15:04 MST") }

func stateWords(u Upload) string {
	if u.waits {
		return "waits for another upload"
	}
	if u.State == Done {
		return u.outcome().words()
	}
	return map[State]string{Looking: "is being looked at", Columns: "waits for its columns", Planning: "the preview is being made",
		Planned: "waits for approval", Sending: "is being sent", Unusable: "cannot be used"}[u.State]
}

// take receives a file.
func (p *Pages) take(w http.ResponseWriter, r *http.Request, u User) {
	select {
	case p.receive <- struct{}{}:
		defer func() { <-p.receive }()
	default:
		p.fail(w, http.StatusServiceUnavailable, "Others are uploading at the moment. Try again in a minute.")
		return
	}
	p.tidy()
	if p.store.full() {
		p.fail(w, http.StatusInsufficientStorage, "There are too many uploads. Remove some that are no longer needed.")
		return
	}
	control := http.NewResponseController(w)
	limit := time.Now().Add(receiveTime)
	_, _ = control.SetReadDeadline(limit), control.SetWriteDeadline(limit) // else the server's own hold
	r.Body = http.MaxBytesReader(w, r.Body, max(2*p.o.MaxSize, maxDrained))
	var upload *Upload
	err := tooLarge(p.o.MaxSize)
	if r.ContentLength <= p.o.MaxSize+aroundFile {
		upload, err = p.store.receive(r, p.o.MaxSize, u.Name, p.o.Clock().UTC())
	}
	var refused *Refused
	switch {
	case errors.As(err, &refused):
		_, _ = io.Copy(io.Discard, r.Body) // or the browser, which is still sending, would not read the answer
		p.fail(w, http.StatusUnprocessableEntity, refused.Text)
		return
	case err != nil:
		p.fault(w, err)
		return
	}
	if err := errors.Join(p.deed(Deed{User: u.Name, Upload: upload.ID, Did: "uploaded"}), p.store.add(upload)); err != nil {
		_ = os.RemoveAll(p.store.folder(upload.ID))
		p.fault(w, err)
		return
	}
	p.look(upload.ID)
	http.Redirect(w, r, "/uploads/"+upload.ID, http.StatusSeeOther)
}

// receive writes the file of a form to a folder of its own. What is refused
// leaves nothing.
func (s *store) receive(r *http.Request, most int64, by string, at time.Time) (u *Upload, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, &Refused{"No file came along. Choose one and upload it."}
	}
	part, err := filePart(parts)
	if err != nil {
		return nil, err
	}
	head := make([]byte, 512)
	n, err := io.ReadFull(part, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, cut(err)
	}
	u = &Upload{ID: random(16), By: by, At: at, Name: label(part.FileName()), State: Looking}
	if u.File, err = fileFor(head[:n]); err != nil {
		return nil, err
	}
	folder := s.folder(u.ID)
	dir := filepath.Join(folder, "file")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of an upload: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}()
	f, err := os.OpenFile(filepath.Join(dir, u.File), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("write an upload: %w", err)
	}
	u.Bytes, err = io.Copy(f, io.LimitReader(io.MultiReader(bytes.NewReader(head[:n]), part), most+1))
	closed := errors.Join(f.Sync(), f.Close())
	switch {
	case err != nil:
		return nil, cut(err)
	case closed != nil:
		return nil, fmt.Errorf("write an upload: %w", closed)
	case u.Bytes > most:
		return nil, tooLarge(most)
	}
	return u, nil
}

func filePart(parts *multipart.Reader) (*multipart.Part, error) {
	for range 10 {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, cut(err)
		}
		if part.FormName() == "file" && part.FileName() != "" {
			return part, nil
		}
	}
	return nil, &Refused{"No file came along. Choose one and upload it."}
}

// cut says why the file did not come whole.
func cut(err error) error {
	var large *http.MaxBytesError
	var path *os.PathError
	switch {
	case errors.As(err, &large):
		return &Refused{"The file is far too large, and nothing of it was kept. Export a shorter period, or split it."}
	case errors.As(err, &path):
		return fmt.Errorf("write an upload: %w", err)
	}
	return &Refused{"The file did not arrive whole, or its name holds a sign that no name may have; nothing of it was kept. Upload it again, under a plain name."}
}

func tooLarge(most int64) error {
	return &Refused{"The file is larger than " + sizeText(most) + ", and nothing of it was kept. Export a shorter period, or split it."}
}

// fileFor names the file by what it begins with, never as the browser did. What
// it holds is looked at by the core.
func fileFor(head []byte) (string, error) {
	packed := map[string]string{"\x1f\x8b": "gzip", "BZh": "bzip2", "\xfd7zXZ": "xz", "7z\xbc\xaf": "7-Zip", "Rar!": "RAR", "\x28\xb5\x2f\xfd": "zstd"}
	switch {
	case len(head) == 0:
		return "", &Refused{"The file is empty. Export it again and upload that."}
	case bytes.HasPrefix(head, []byte("PK")), bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")): // a workbook, or an older or a protected one
		return "orders.xlsx", nil
	}
	for begin, what := range packed {
		if bytes.HasPrefix(head, []byte(begin)) {
			return "", &Refused{"The file is packed with " + what + ". Unpack it and upload what is in it."}
		}
	}
	return "orders.csv", nil
}

// label is a name that can be shown: what the browser calls the file, without
// folders, addresses and signs that change how a text is read.
func label(name string) string {
	name = reports.Mask(filepath.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/")))
	name = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) {
			return -1
		}
		return c
	}, name)
	if strings.Trim(name, "./ ") == "" {
		return "unnamed"
	}
	letters := []rune(name)
	return string(letters[:min(len(letters), 80)])
}
