package upload

import (
	"net/http"
	"strings"
	"time"
)

func (p *Pages) signInPage(w http.ResponseWriter, r *http.Request) {
	if p.proxied(r) {
		p.fail(w, http.StatusForbidden, "You are signed in, and the file of users does not know you. Ask whoever runs this service.")
		return
	}
	p.render(w, http.StatusOK, "signin.html", view{Title: "Sign in"})
}

// hashWait is how long somebody waits until a password is looked at.
const hashWait = 5 * time.Second

// maxForm is how large a form may be that holds no file.
const maxForm = 256 << 10

func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	if err := r.ParseForm(); err != nil {
		p.signInAgain(w, http.StatusBadRequest, "The form was not understood. Try again.")
		return
	}
	name, password := strings.TrimSpace(r.PostForm.Get("name")), r.PostForm.Get("password")
	if !userName.MatchString(name) {
		name = "?" // all of these together are one
	}
	address := remote(r).String()
	if !p.failures.attempt(name, address) {
		w.Header().Set("Retry-After", "900")
		p.signInAgain(w, http.StatusTooManyRequests, "Too many attempts. Wait 15 minutes and try again.")
		return
	}
	users, err := Users(p.o.Users)
	if err != nil {
		p.fault(w, err)
		return
	}
	select {
	case p.hash <- struct{}{}:
	case <-time.After(hashWait):
		p.signInAgain(w, http.StatusServiceUnavailable, "Many are signing in at the moment. Try again in a minute.")
		return
	case <-r.Context().Done():
		return
	}
	is := knows(users, name, password)
	<-p.hash
	if !is {
		p.o.Log.Warn("somebody could not sign in", "from", address)
		p.signInAgain(w, http.StatusForbidden, "The name or the password is wrong.")
		return
	}
	p.failures.forget(name, address)
	setCookie(w, r, p.sessions.begin(name), int(sessionTime.Seconds()))
	http.Redirect(w, r, "/uploads/", http.StatusSeeOther)
}

func (p *Pages) signInAgain(w http.ResponseWriter, status int, text string) {
	p.render(w, status, "signin.html", view{Title: "Sign in", Problem: text})
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(cookieName(r)); err == nil {
		p.sessions.end(cookie.Value)
	}
	setCookie(w, r, "", -1)
	http.Redirect(w, r, "/uploads/sign-in", http.StatusSeeOther)
}
