package upload

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// State is how far an upload is.
type State string

// States.
const (
	Looking  State = "looking"  // its first rows are read
	Columns  State = "columns"  // somebody says what its columns are
	Planning State = "planning" // the plan is made
	Planned  State = "planned"  // somebody looks at it
	Sending  State = "sending"  // the plan is carried out
	Done     State = "done"
	Unusable State = "unusable" // it is no file that can be read
)

// Busy reports whether something is under way.
func (s State) Busy() bool { return s == Looking || s == Planning || s == Sending }

// Upload is one file, and what became of it.
type Upload struct {
	ID      string    `json:"id"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Name    string    `json:"name"` // as the browser gave it, masked; no file bears it
	File    string    `json:"file"` // orders.csv or orders.xlsx
	Bytes   int64     `json:"bytes"`
	State   State     `json:"state"`
	Look    Look      `json:"look"`
	Mapping Mapping   `json:"mapping"`
	// Problem is what went wrong last, in words.
	Problem string   `json:"problem,omitempty"`
	Planned *Preview `json:"planned,omitempty"` // nil: there is no plan
	Sent    *Preview `json:"sent,omitempty"`
	// PlannedBy asked for the plan, ApprovedBy had it sent.
	PlannedBy  string `json:"planned_by,omitempty"`
	ApprovedBy string `json:"approved_by,omitempty"`

	said  string // how far what is under way is
	waits bool   // what is to be done waits until another upload is done
}

// store keeps uploads as folders, for their owner alone. Each has its own
// random name.
type store struct {
	dir string
	mu  sync.Mutex
	all map[string]*Upload
	// since is when the oldest upload that is kept was made.
	since func() time.Time
}

var idForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// maxUploads is how many are kept at most.
const maxUploads = 2_000

// openStore reads what earlier services left. What they were about is said: how
// far it came, nobody knows but the ledger.
func openStore(dir string, since func() time.Time) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for uploads: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the uploads: %w", err)
	}
	s := &store{dir: dir, all: map[string]*Upload{}, since: since}
	for _, e := range entries {
		if !e.IsDir() || !idForm.MatchString(e.Name()) {
			continue
		}
		u, err := readUpload(filepath.Join(dir, e.Name(), "upload.json"))
		if errors.Is(err, fs.ErrNotExist) { // it was never received whole
			err = os.RemoveAll(filepath.Join(dir, e.Name()))
			if err == nil {
				continue
			}
		}
		if err != nil || u.ID != e.Name() {
			return nil, fmt.Errorf("read upload %s: %w; move its folder away", e.Name(), errors.Join(err))
		}
		s.all[u.ID] = u
		if u.State.Busy() {
			u.interrupted()
			if err := errors.Join(s.asRead(u), s.save(u)); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// asRead has an upload read as its page shows it: the reading that somebody
// asked for did not come to its end.
func (s *store) asRead(u *Upload) error {
	if len(u.Look.Columns) == 0 {
		return nil
	}
	return writeJSON(filepath.Join(s.folder(u.ID), ReadingFile), u.Look.Reading)
}

func (u *Upload) interrupted() {
	again := len(u.Look.Columns) > 0 // it could be read before
	switch {
	case u.State == Looking && again:
		u.State, u.Problem = Columns, "The service ended while the file was read anew. It is shown as it was read before."
	case u.State == Looking:
		u.State, u.Problem = Unusable, "The service ended while the file was looked at. Upload it again."
	case u.State == Planning:
		u.State, u.Problem = Columns, "The service ended while the preview was made. Nothing was sent. Make the preview again."
	case u.State == Sending:
		u.State, u.Planned, u.Problem = Columns, nil, "The service ended while this was sent. Make the preview again: it shows what was sent before, and what is still to send."
	}
}

func readUpload(path string) (*Upload, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	u := &Upload{}
	return u, json.Unmarshal(text, u)
}

func (s *store) folder(id string) string { return filepath.Join(s.dir, id) }

// save writes an upload down. s.mu is held, or nobody else knows u.
func (s *store) save(u *Upload) error {
	return writeJSON(filepath.Join(s.folder(u.ID), "upload.json"), u)
}

// add takes a new upload in.
func (s *store) add(u *Upload) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.save(u); err != nil {
		return err
	}
	s.all[u.ID] = u
	return nil
}

func (s *store) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all) >= maxUploads
}

// get gives an upload as it is now.
func (s *store) get(id string) (Upload, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, known := s.all[id]
	if !known || s.old(u) || s.forgotten(u) {
		return Upload{}, false
	}
	return *u, true
}

// forgotten notices an upload that makegood forget has removed. s.mu is held.
func (s *store) forgotten(u *Upload) bool {
	if _, err := os.Stat(s.folder(u.ID)); u.State.Busy() || !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	delete(s.all, u.ID)
	return true
}

// list gives all that fit, the newest first.
func (s *store) list(fits func(Upload) bool) []Upload {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Upload
	for _, u := range s.all {
		if fits(*u) && !s.old(u) && !s.forgotten(u) {
			list = append(list, *u)
		}
	}
	slices.SortFunc(list, func(a, b Upload) int { return b.At.Compare(a.At) })
	return list
}

var (
	errGone    = errors.New("there is no such upload")
	errChanged = &Refused{"Meanwhile somebody else, or another window, went on with this upload. Look at how it stands now."}
)

// change changes an upload. do sees it as it is and says what keeps it from
// being changed; then it stays.
func (s *store) change(id string, do func(*Upload) error) (Upload, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, known := s.all[id]
	if !known {
		return Upload{}, errGone
	}
	changed := *u
	if err := do(&changed); err != nil {
		return *u, err
	}
	if err := s.save(&changed); err != nil {
		return *u, err
	}
	*u = changed
	return changed, nil
}

// say notes how far the work at an upload is.
func (s *store) say(id, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u, known := s.all[id]; known {
		u.said = text
	}
}

// wait notes whether an upload waits for another one.
func (s *store) wait(id string, waits bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u, known := s.all[id]; known {
		u.waits = waits
	}
}

// remove takes an upload away, with its file.
func (s *store) remove(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, known := s.all[id]
	switch {
	case !known:
		return errGone
	case u.State.Busy():
		return &Refused{"Something is under way with this upload. Wait until it has ended."}
	}
	if err := os.RemoveAll(s.folder(id)); err != nil {
		return fmt.Errorf("remove an upload: %w", err)
	}
	delete(s.all, id)
	return nil
}

func writeJSON(path string, value any) error {
	text, err := json.MarshalIndent(value, "", " ")
	if err == nil {
		err = writeWhole(path, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

// writeWhole writes a file so that a reader sees the old one or the new one.
func writeWhole(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Deed is a line of the history: who did what. It holds nothing of the file.
type Deed struct {
	At     time.Time `json:"at"`
	User   string    `json:"user"`
	Upload string    `json:"upload"`
	Did    string    `json:"did"`
	Plan   string    `json:"plan,omitempty"` // its digest
	Run    string    `json:"run,omitempty"`
	Events int       `json:"messages,omitempty"`
	// Alone says that who approved it had uploaded it or made its preview; Worth is
	// then the money of its messages, by destination and currency.
	Alone bool                         `json:"alone,omitempty"`
	Worth map[string]map[string]string `json:"worth,omitempty"`
}

// history is a file that lines are added to.
type history struct {
	mu   sync.Mutex
	path string
}

func (h *history) add(d Deed) error {
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	f, err := os.OpenFile(h.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("write the history of uploads: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the history of uploads: %w", err)
	}
	return nil
}

// tailBytes is how much of the history is read to show its end.
const tailBytes = 256 << 10

// last gives the newest lines that fit, the newest first, at most so many.
func (h *history) last(most int, fits func(Deed) bool) ([]Deed, error) {
	all, _, err := h.tail(tailBytes)
	list := slices.DeleteFunc(all, func(d Deed) bool { return !fits(d) })
	return list[:min(len(list), most)], err
}

// since gives all lines from a time on, the newest first.
func (h *history) since(begin time.Time) ([]Deed, error) {
	for size := int64(tailBytes); ; size *= 2 {
		list, whole, err := h.tail(size)
		if err != nil {
			return nil, err
		}
		if whole || len(list) > 0 && list[len(list)-1].At.Before(begin) {
			return slices.DeleteFunc(list, func(d Deed) bool { return d.At.Before(begin) }), nil
		}
	}
}

// tail gives the lines of the last bytes of the file, the newest first, and
// whether these are all.
func (h *history) tail(size int64) (list []Deed, whole bool, err error) {
	f, err := os.Open(h.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the history of uploads: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, false, fmt.Errorf("read the history of uploads: %w", err)
	}
	if whole = info.Size() <= size; !whole {
		if _, err := f.Seek(-size, io.SeekEnd); err != nil {
			return nil, false, err
		}
	}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var d Deed
		if json.Unmarshal([]byte(strings.TrimSpace(lines.Text())), &d) == nil { // the first may be half of one
			list = append(list, d)
		}
	}
	slices.Reverse(list)
	return list, whole, lines.Err()
}
