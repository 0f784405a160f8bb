package sinks

import (
	"context"
	"errors"
	"net"

	"makegood/config"
	"makegood/reconcile"
	"makegood/sinks/httpapi"
)

var errRehearsal = errors.New("this is a rehearsal: nothing is sent")

// Rehearse gives the requests that sending an event would make, up to the first
// that has to wait for an answer, and none where the target writes files.
// Nothing leaves: the sink is one of its own, which can reach nobody.
func Rehearse(t *config.Target, o Options, e reconcile.Event) ([]httpapi.Request, error) {
	if t.Type == "file" || t.Path != "" {
		return nil, nil
	}
	var requests []httpapi.Request
	o.Watch = httpapi.Watch{Goes: func(r httpapi.Request) bool {
		requests = append(requests, r)
		return false
	}}
	o.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errRehearsal }
	platform, err := open(t, o, NewPace(t.Rate.PerSecond, t.Reserve.Fraction()))
	if err != nil {
		return nil, err
	}
	defer platform.Close()
	platform.Send(context.Background(), []reconcile.Event{e})
	return requests, nil
}
