package upload

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// show is the page of one upload, as far as it is.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, u User, upload Upload) {
	if upload.State == Columns {
		p.columnsPage(w, http.StatusOK, u, upload, upload.Problem)
		return
	}
	deeds, err := p.history.last(20, func(d Deed) bool { return d.Upload == upload.ID })
	if err != nil {
		p.fault(w, err)
		return
	}
	data := map[string]any{"Upload": upload, "At": p.at(upload.At), "Said": upload.said, "Waits": upload.waits, "Deeds": p.deeds(deeds),
		"MayApprove": p.mayApprove(u, upload) == "", "WhyNot": p.mayApprove(u, upload), "Preview": upload.Planned}
	data["Marked"] = p.markedFile(upload) != ""
	if upload.State == Done {
		data["Preview"], data["Outcome"] = upload.Sent, upload.outcome()
	}
	if upload.Planned != nil {
		data["Expires"] = p.at(upload.Planned.Expires)
	}
	p.render(w, http.StatusOK, "upload.html", view{Title: title(upload), User: u, Refresh: upload.State.Busy(), Problem: upload.Problem, Data: data})
}

func title(u Upload) string {
	if u.waits {
		return "Waits for another upload"
	}
	if u.State == Done {
		return u.outcome().title()
	}
	return map[State]string{Looking: "Looking at the file", Planning: "Making the preview", Planned: "Preview", Sending: "Sending",
		Unusable: "This file cannot be used", Columns: "Columns"}[u.State]
}

type deedView struct{ At, User, Did, Plan, Run, Upload string }

func (p *Pages) deeds(list []Deed) (views []deedView) {
	for _, d := range list {
		did := d.Did
		if d.Events > 0 {
			did += ": " + thin(strconv.Itoa(d.Events)) + " messages"
		}
		views = append(views, deedView{p.at(d.At), d.User, did, d.Plan, d.Run, d.Upload})
	}
	return views
}

// columns is the page on which the columns are corrected after a preview.
func (p *Pages) columns(w http.ResponseWriter, r *http.Request, u User, upload Upload) {
	if upload.State == Unusable || upload.State.Busy() {
		http.Redirect(w, r, "/uploads/"+upload.ID, http.StatusSeeOther)
		return
	}
	p.columnsPage(w, http.StatusOK, u, upload, "")
}

// columnView is one column with what stands in it.
type columnView struct {
	N             int
	Name, Choice  string
	Cells         []string
	Doubt, Custom string
}

func (p *Pages) columnsPage(w http.ResponseWriter, status int, u User, upload Upload, problem string) {
	var list []columnView
	for n, name := range upload.Look.Columns {
		c := columnView{N: n, Name: name, Choice: upload.Mapping.choice(name)}
		if strings.HasPrefix(c.Choice, "custom_") {
			c.Custom = c.Choice
		}
		if c.Choice != "" && upload.Mapping.Columns[c.Choice] == upload.Look.Mapping.Columns[c.Choice] {
			c.Doubt = upload.Look.Doubts[c.Choice]
		}
		for _, row := range upload.Look.Rows {
			if n < len(row.Cells) {
				c.Cells = append(c.Cells, row.Cells[n])
			}
		}
		list = append(list, c)
	}
	var reckoned []Line
	for field, from := range upload.Mapping.Columns {
		if strings.HasPrefix(strings.TrimSpace(from), "=") {
			reckoned = append(reckoned, Line{Label: wordsOf(field)})
		}
	}
	p.render(w, status, "columns.html", view{Title: "Columns", User: u, Problem: problem, Data: map[string]any{
		"Upload": upload, "Columns": list, "Fields": Fields(), "Reckoned": reckoned, "Encodings": encodings, "Delimiters": delimiters}})
}

// choose takes what the columns are, and makes the preview.
func (p *Pages) choose(w http.ResponseWriter, r *http.Request, u User, upload Upload) {
	if upload.State == Unusable || upload.State.Busy() {
		p.fault(w, errChanged)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.fail(w, http.StatusBadRequest, "The form was not understood. Go back and try again.")
		return
	}
	mapping, err := chosen(r.PostForm, upload.Look, upload.Look.Mapping)
	var refused *Refused
	if errors.As(err, &refused) {
		upload.Mapping = mapping
		p.columnsPage(w, http.StatusUnprocessableEntity, u, upload, refused.Text)
		return
	}
	_, err = p.store.change(upload.ID, func(one *Upload) error {
		if one.State == Unusable || one.State.Busy() {
			return errChanged
		}
		if err := writeJSON(filepath.Join(p.store.folder(one.ID), "mapping.json"), mapping); err != nil {
			return err
		}
		one.State, one.Mapping, one.Planned, one.PlannedBy, one.Problem = Planning, mapping, nil, u.Name, ""
		return nil
	})
	if err != nil {
		p.fault(w, err)
		return
	}
	p.remember(upload.Look, mapping, u.Name)
	p.plan(upload.ID)
	http.Redirect(w, r, "/uploads/"+upload.ID, http.StatusSeeOther)
}

// mayApprove says why somebody may not have an upload sent, "" when they may.
func (p *Pages) mayApprove(u User, upload Upload) string {
	switch {
	case upload.State != Planned || upload.Planned == nil:
		return "There is no preview that could be approved."
	case !upload.Planned.sends():
		return "There is nothing to send."
	case !p.o.Clock().Before(upload.Planned.Expires):
		return "The plan expired at " + p.at(upload.Planned.Expires) + ": make the preview again."
	case !u.Role.may(Approver):
		return "Next, somebody with the role approver has it sent: they sign in and find it in the list of uploads."
	case !upload.alone(u):
		return ""
	}
	return p.needsSecond(u, upload.Planned)
}

func (p *Pages) approvePage(w http.ResponseWriter, r *http.Request, u User, upload Upload) {
	if why := p.mayApprove(u, upload); why != "" {
		p.fail(w, http.StatusForbidden, why)
		return
	}
	p.render(w, http.StatusOK, "approve.html", view{Title: "Send this plan?", User: u, Data: map[string]any{
		"Upload": upload, "Preview": upload.Planned, "Expires": p.at(upload.Planned.Expires)}})
}

// approve has the plan sent that the form names.
func (p *Pages) approve(w http.ResponseWriter, r *http.Request, u User, upload Upload) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := r.ParseForm(); err != nil || r.PostForm.Get("looked") != "yes" {
		p.fail(w, http.StatusUnprocessableEntity, "Nothing was sent: say that you have looked at the numbers, and send it then.")
		return
	}
	changed, err := p.store.change(upload.ID, func(one *Upload) error {
		if why := p.mayApprove(u, *one); why != "" {
			return &Refused{why}
		}
		if r.PostForm.Get("digest") != one.Planned.Digest {
			return errChanged
		}
		one.State, one.ApprovedBy, one.Problem = Sending, u.Name, ""
		deed := Deed{User: u.Name, Upload: one.ID, Did: approvedIt, Plan: one.Planned.Digest, Events: one.Planned.events()}
		if deed.Alone = one.alone(u); deed.Alone && p.o.Above != nil {
			deed.Worth = one.Planned.worth()
		}
		return p.deed(deed)
	})
	var refused *Refused
	if errors.As(err, &refused) {
		p.fail(w, http.StatusForbidden, refused.Text+" Nothing was sent.")
		return
	}
	if err != nil {
		p.fault(w, err)
		return
	}
	p.send(changed)
	http.Redirect(w, r, "/uploads/"+upload.ID, http.StatusSeeOther)
}

// halted has what is under way ended in order, by anybody who sees it: sending
// less does no harm.
func (p *Pages) halted(w http.ResponseWriter, r *http.Request, u User, upload Upload) {
	if !upload.State.Busy() {
		p.fault(w, errChanged)
		return
	}
	if err := p.deed(Deed{User: u.Name, Upload: upload.ID, Did: "stopped it"}); err != nil {
		p.fault(w, err)
		return
	}
	p.halt(upload.ID, u.Name)
	http.Redirect(w, r, "/uploads/"+upload.ID, http.StatusSeeOther)
}

// remove takes an upload away: its own, or anybody's for an operator.
func (p *Pages) remove(w http.ResponseWriter, r *http.Request, u User, upload Upload) {
	if upload.By != u.Name && !u.Role.may(Operator) {
		p.fail(w, http.StatusForbidden, "Only who uploaded it, or an operator, removes it.")
		return
	}
	if err := p.store.remove(upload.ID); err != nil {
		p.fault(w, err)
		return
	}
	if err := p.deed(Deed{User: u.Name, Upload: upload.ID, Did: "removed"}); err != nil {
		p.fault(w, err)
		return
	}
	http.Redirect(w, r, "/uploads/", http.StatusSeeOther)
}

// report shows the report of what was sent. It is a page of its own, with its
// style in it.
func (p *Pages) report(w http.ResponseWriter, r *http.Request, _ User, upload Upload) {
	page, err := os.ReadFile(filepath.Join(p.store.folder(upload.ID), "report.html"))
	switch {
	case upload.State != Done || errors.Is(err, fs.ErrNotExist):
		p.fail(w, http.StatusNotFound, "There is no report yet: it is there once the plan was sent.")
		return
	case err != nil:
		p.fault(w, err)
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(page) // a browser that left is no concern
}

// markedFile is the file with remarks, "" where there is none.
func (p *Pages) markedFile(upload Upload) string {
	folder := map[State]string{Planned: "checked", Done: "marked"}[upload.State]
	if folder == "" {
		return ""
	}
	path := filepath.Join(p.store.folder(upload.ID), folder, upload.File)
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return path
}

func (p *Pages) marked(w http.ResponseWriter, r *http.Request, _ User, upload Upload) {
	path := p.markedFile(upload)
	f, err := os.Open(path)
	if path == "" || err != nil {
		p.fail(w, http.StatusNotFound, "There is no file with remarks: it is there once a preview was made.")
		return
	}
	defer f.Close()
	limit := time.Now().Add(receiveTime)
	_ = http.NewResponseController(w).SetWriteDeadline(limit) // else the server's own holds
	kind := "text/csv; charset=utf-8"
	if strings.HasSuffix(upload.File, ".xlsx") {
		kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="marked-`+upload.File+`"`)
	http.ServeContent(w, r, "", time.Time{}, f)
}

// past is the history.
func (p *Pages) past(w http.ResponseWriter, r *http.Request, u User) {
	deeds, err := p.history.last(500, func(Deed) bool { return true })
	if err != nil {
		p.fault(w, err)
		return
	}
	p.render(w, http.StatusOK, "history.html", view{Title: "History", User: u, Data: p.deeds(deeds)})
}
