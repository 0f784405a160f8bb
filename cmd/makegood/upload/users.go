package upload

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// Role is what a user may do. Each may do what the one before may.
type Role string

// Roles.
const (
	Analyst  Role = "analyst"  // uploads files and makes previews, and sees these
	Approver Role = "approver" // sees all uploads, and has them sent
	Operator Role = "operator" // removes uploads of others, sees the history, and pauses destinations
)

// Roles lists them.
func Roles() []Role { return []Role{Analyst, Approver, Operator} }

func (r Role) rank() int {
	for i, role := range Roles() {
		if role == r {
			return i + 1
		}
	}
	return 0
}

// may reports whether a role includes another.
func (r Role) may(other Role) bool { return r.rank() >= other.rank() }

// User is somebody who may sign in. A hash of "-" has no password: the proxy
// says who it is.
type User struct {
	Name string
	Role Role
	hash string
}

// Bounds of the file of users, and of passwords: bcrypt takes 72 bytes.
const (
	maxUsers    = 1_000
	MinPassword = 12
	MaxPassword = 72
	cost        = 12
)

var userName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Users reads the file of users anew whenever it is asked: who is taken out is
// out at once.
func Users(path string) (map[string]User, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the users: %w; makegood user NAME --role analyst writes a line of it", err)
	}
	defer file.Close()
	users := map[string]User{}
	lines := bufio.NewScanner(io.LimitReader(file, 1<<20))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		u, err := parseUser(text)
		if err != nil {
			return nil, fmt.Errorf("read the users: line %d: %w", n, err)
		}
		if _, twice := users[u.Name]; twice {
			return nil, fmt.Errorf("read the users: line %d: %s stands there twice", n, u.Name)
		}
		users[u.Name] = u
	}
	switch {
	case lines.Err() != nil:
		return nil, fmt.Errorf("read the users: %w", lines.Err())
	case len(users) == 0 || len(users) > maxUsers:
		return nil, fmt.Errorf("read the users: there are %d; write 1 to %d lines of the form name:role:hash", len(users), maxUsers)
	}
	return users, nil
}

// parseUser never repeats the line: a password could stand there.
func parseUser(line string) (User, error) {
	name, rest, _ := strings.Cut(line, ":")
	role, hash, _ := strings.Cut(rest, ":")
	u := User{Name: name, Role: Role(role), hash: hash}
	switch {
	case !userName.MatchString(name):
		return u, errors.New("the name must be of letters, digits, dots and dashes")
	case u.Role.rank() == 0:
		return u, errors.New("the role must be analyst, approver or operator")
	case hash == "-":
		return u, nil
	}
	if n, err := bcrypt.Cost([]byte(hash)); err != nil || n < 10 || n > 15 {
		return u, errors.New("the hash is none of bcrypt with a cost of 10 to 15; makegood user makes one")
	}
	return u, nil
}

// UserLine is the line of a user in the file of users.
func UserLine(name string, role Role, password string) (string, error) {
	switch {
	case !userName.MatchString(name):
		return "", errors.New("the name must be of letters, digits, dots and dashes, at most 64")
	case role.rank() == 0:
		return "", errors.New("the role must be analyst, approver or operator")
	case len(password) < MinPassword || len(password) > MaxPassword:
		return "", fmt.Errorf("the password must have %d to %d bytes", MinPassword, MaxPassword)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		return "", fmt.Errorf("hash the password: %w", err)
	}
	return name + ":" + string(role) + ":" + string(hash), nil
}

// nobody is compared with where there is no such user, so that an answer takes
// as long.
const nobody = "$2a$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"

// knows reports whether a password is a user's.
func knows(users map[string]User, name, password string) bool {
	u, known := users[name]
	hash := u.hash
	if !known || hash == "-" {
		hash = nobody
	}
	return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil && hash == u.hash
}
