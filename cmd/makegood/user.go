package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"makegood/cmd/makegood/upload"
)

func (a *app) userCommand() *cobra.Command {
	var role string
	c := &cobra.Command{
		Use:   "user NAME",
		Short: "Write the line of somebody who may sign in at the upload page",
		Long: `Asks for a password and writes the line of this user for the file that
serve.uploads.users names. The password itself is kept nowhere.

An analyst uploads files and makes previews. An approver does so too, sees all
uploads, and has them sent. An operator removes uploads of others, too, and sees
the history. Where a proxy says who it is, "-" takes the place of the hash.`,
		GroupID: "service",
		Args: arguments(func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("name one user")
			}
			return nil
		}),
		Example: `  makegood user ann --role analyst >> users.txt
  makegood user ben --role approver < password.txt >> users.txt`,
		RunE: func(_ *cobra.Command, args []string) error {
			usage := func(err error) error { return &usageError{command: "makegood user", err: err} }
			if role == "" {
				return usage(errors.New("--role is missing: analyst, approver or operator"))
			}
			password, err := a.password()
			if err != nil {
				return usage(err)
			}
			line, err := upload.UserLine(args[0], upload.Role(role), password)
			if err != nil {
				return usage(err)
			}
			_, err = fmt.Fprintln(a.io.out, line)
			return err
		},
	}
	c.Flags().StringVar(&role, "role", "", "analyst, approver or operator")
	return c
}

// password reads one without showing it, or a line of standard input.
func (a *app) password() (string, error) {
	if f, ok := a.io.in.(*os.File); ok && a.terminal(f) {
		fmt.Fprintf(a.io.err, "Password, %d letters or more: ", upload.MinPassword)
		text, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(a.io.err)
		return string(text), err
	}
	line, err := bufio.NewReader(io.LimitReader(a.io.in, 1<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}
