package config

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

const hidden = "[secret]"

// Secret is a text that is not shown: whatever prints, logs or marshals it writes [secret]. Three ways round it are left
// by a type of kind string, so they must not be taken: fmt asks no unexported fields, which is why a Secret belongs into
// exported fields or local variables; fmt asks nothing behind a nested pointer that is printed with a verb that does not
// fit, such as %s (go vet finds that one); encoding/json asks no keys of maps.
type Secret string

// Reveal returns the text, for the one place that hands it over.
func (s Secret) Reveal() string { return string(s) }

// String is [secret].
func (Secret) String() string { return hidden }

// GoString is [secret].
func (Secret) GoString() string { return hidden }

// Format writes [secret] for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue is [secret].
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON gives "[secret]"; slog's JSON handler uses it for nested values.
func (Secret) MarshalJSON() ([]byte, error) { return json.Marshal(hidden) }

// MarshalText gives [secret].
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalYAML gives [secret].
func (Secret) MarshalYAML() (any, error) { return hidden, nil }
