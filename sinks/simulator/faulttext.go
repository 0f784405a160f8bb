package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseFault reads a fault as people type it:
//
//	NAME[=VALUE][@PATH][,KEY=VALUE ...]
//
// NAME is a FaultKind, or drop for accept_and_drop, or delay for slow. VALUE is what the kind needs most: a share
// (drop=2%), a status (status=500), a duration (delay=5ms, hang=30s), or a rate (rate_limit=10/s); without it the fault
// strikes always. PATH is the prefix of the paths concerned. The keys are share, status, retry_after, delay, first,
// after and per_second. Examples: "drop=2%", "status=404@/v1/track", "rate_limit=5%,retry_after=2",
// "status=503,retry_after=1,first=3". A Retry-After date holds a comma and does not fit in here; the object form of the
// control interface takes it.
func ParseFault(text string) (Fault, error) {
	f, err := parseFault(text)
	if err == nil {
		err = f.validate()
	}
	if err != nil {
		return Fault{}, fmt.Errorf("fault %q: %w", text, err)
	}
	return f, nil
}

func parseFault(text string) (f Fault, err error) {
	text, f.Match, err = cutPath(strings.TrimSpace(text))
	if err != nil {
		return f, err
	}
	head, rest, more := strings.Cut(text, ",")
	name, value, valued := strings.Cut(head, "=")
	f.Kind = kindNamed(strings.TrimSpace(name))
	if _, known := mainKey[f.Kind]; !known {
		return f, fmt.Errorf("unknown kind %q, choose one of %s", name, kindList())
	}
	given := map[string]bool{}
	if valued {
		if err := f.set(f.keyFor(value), value, given); err != nil {
			return f, err
		}
	}
	for more {
		var option string
		option, rest, more = strings.Cut(rest, ",")
		key, value, found := strings.Cut(option, "=")
		if !found {
			return f, fmt.Errorf("%q must be KEY=VALUE", option)
		}
		if err := f.set(strings.TrimSpace(key), value, given); err != nil {
			return f, err
		}
	}
	return f, nil
}

// cutPath takes out @PATH, which ends at the next comma.
func cutPath(text string) (rest, path string, err error) {
	before, after, found := strings.Cut(text, "@")
	if !found {
		return text, "", nil
	}
	path, options, more := strings.Cut(after, ",")
	if path == "" || strings.Contains(after, "@") {
		return "", "", errors.New("give one path after one @")
	}
	if more {
		before += "," + options
	}
	return before, path, nil
}

func kindNamed(name string) FaultKind {
	switch name {
	case "drop":
		return FaultAcceptAndDrop
	case "delay":
		return FaultSlow
	}
	return FaultKind(name)
}

// mainKey is what a kind's own value means, unless its form says otherwise.
var mainKey = map[FaultKind]string{
	FaultStatus: "status", FaultSlow: "delay",
	FaultRefuse: "share", FaultRedirect: "share", FaultRateLimit: "share", FaultHang: "share",
	FaultAcceptAndDrop: "share", FaultAcceptAndHang: "share", FaultGarbage: "share", FaultEmpty: "share",
}

func (f *Fault) keyFor(value string) string {
	_, notDuration := time.ParseDuration(strings.TrimSpace(value))
	switch {
	case f.Kind == FaultRateLimit && strings.HasSuffix(value, "/s"):
		return "per_second"
	case notDuration == nil && (f.Kind == FaultHang || f.Kind == FaultAcceptAndHang):
		return "delay"
	}
	return mainKey[f.Kind]
}

func (f *Fault) set(key, value string, given map[string]bool) (err error) {
	value = strings.TrimSpace(value)
	if given[key] {
		return fmt.Errorf("%s is given twice", key)
	}
	given[key] = true
	switch key {
	case "share":
		f.Share, err = parseShare(value)
	case "status":
		f.Status, err = parseCount(key, value)
	case "first":
		f.First, err = parseCount(key, value)
	case "after":
		f.After, err = parseCount(key, value)
	case "delay":
		f.Delay, err = parseDelay(value)
	case "per_second":
		f.PerSecond, err = parseRate(value)
	case "retry_after":
		f.RetryAfter = value
	default:
		return fmt.Errorf("unknown key %q, choose one of share, status, retry_after, delay, first, after, per_second", key)
	}
	return err
}

const minPercent = 1e-6 // below it a fault never strikes

func parseShare(text string) (float64, error) {
	digits, percent := strings.CutSuffix(text, "%")
	share, err := strconv.ParseFloat(digits, 64)
	if err != nil || !percent || !(share >= minPercent && share <= 100) {
		return 0, fmt.Errorf("share %q must be a percentage above 0%% and up to 100%%, such as 2%%", text)
	}
	return share / 100, nil
}

func parseCount(key, text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s %q must be a whole number above zero", key, text)
	}
	return n, nil
}

func parseDelay(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("delay %q must be a duration above zero, such as 5ms", text)
	}
	return d, nil
}

func parseRate(text string) (float64, error) {
	rate, err := strconv.ParseFloat(strings.TrimSuffix(text, "/s"), 64)
	if err != nil || !(rate > 0 && rate < 1e9) {
		return 0, fmt.Errorf("rate %q must be requests per second above zero, such as 10/s", text)
	}
	return rate, nil
}

// String is the form that ParseFault reads.
func (f Fault) String() string {
	text := string(f.Kind)
	if f.Kind == FaultStatus {
		text += "=" + strconv.Itoa(f.Status)
	}
	if f.Match != "" {
		text += "@" + f.Match
	}
	if f.Share > 0 {
		text += ",share=" + percent(f.Share)
	}
	if f.RetryAfter != "" {
		text += ",retry_after=" + f.RetryAfter
	}
	if f.Delay > 0 {
		text += ",delay=" + f.Delay.String()
	}
	if f.PerSecond > 0 {
		text += ",per_second=" + strconv.FormatFloat(f.PerSecond, 'f', -1, 64)
	}
	if f.First > 0 {
		text += ",first=" + strconv.Itoa(f.First)
	}
	if f.After > 0 {
		text += ",after=" + strconv.Itoa(f.After)
	}
	return text
}

// percent rounds away what the multiplication adds, so that 0.07 reads 7%.
func percent(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e11)/1e9, 'f', -1, 64) + "%"
}

// faultJSON is a fault as the control interface speaks of it.
type faultJSON struct {
	Match      string    `json:"match,omitempty"`
	Kind       FaultKind `json:"kind"`
	Share      float64   `json:"share,omitempty"`
	Status     int       `json:"status,omitempty"`
	RetryAfter string    `json:"retry_after,omitempty"`
	Delay      string    `json:"delay,omitempty"` // such as 5ms
	First      int       `json:"first,omitempty"`
	After      int       `json:"after,omitempty"`
	PerSecond  float64   `json:"per_second,omitempty"`
}

// MarshalJSON writes the object form, with the delay as text such as "5ms".
func (f Fault) MarshalJSON() ([]byte, error) {
	wire := faultJSON{Match: f.Match, Kind: f.Kind, Share: f.Share, Status: f.Status, RetryAfter: f.RetryAfter,
		First: f.First, After: f.After, PerSecond: f.PerSecond}
	if f.Delay > 0 {
		wire.Delay = f.Delay.String()
	}
	return json.Marshal(wire)
}

// UnmarshalJSON reads the object form, or a string in the form of ParseFault. An unknown key is an error.
func (f *Fault) UnmarshalJSON(data []byte) (err error) {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*f, err = ParseFault(text)
		return err
	}
	var wire faultJSON
	if err := strictly(data, &wire); err != nil {
		return err
	}
	*f = Fault{Match: wire.Match, Kind: wire.Kind, Share: wire.Share, Status: wire.Status,
		RetryAfter: wire.RetryAfter, First: wire.First, After: wire.After, PerSecond: wire.PerSecond}
	if wire.Delay != "" {
		f.Delay, err = parseDelay(wire.Delay)
	}
	return err
}
