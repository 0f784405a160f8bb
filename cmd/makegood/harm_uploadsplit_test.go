package main

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

// TestHarmUploadSplit: what one person sends alone in a day is no more than
// second_person_above, in however many files.
func TestHarmUploadSplit(t *testing.T) {
	t.Parallel()
	u := uploadShop(t, fields{"second_person_above": fields{"EUR": 1000}}).serveUploads()
	ben, bea, at := u.signedIn("ben"), u.signedIn("bea"), ago(3*time.Hour)
	part := func(order, price string) string {
		path := ben.upload(http.StatusOK, order+".csv", []byte(usualHeader+"\n"+order+","+at+",ann@example.com,MUG,1,"+price+"\n"))
		ben.preview(path, nil)
		return path
	}
	one, two, three := part("1", "600"), part("2", "400.01"), part("3", "400")
	ben.sends(one)
	digest := planOf.FindStringSubmatch(bea.get(http.StatusOK, two+"/approve"))[1]
	ben.post(http.StatusForbidden, two+"/approve", url.Values{"digest": {digest}, "looked": {"yes"}})
	ben.shows("with what you approved alone in the last 24 hours")
	ben.sends(three)
	u.wantsPlatform("activate", "1 600 EUR, 3 400 EUR")
	u.end()

	u = u.shop.serveUploads() // a new service counts on
	ben, bea = u.signedIn("ben"), u.signedIn("bea")
	ben.get(http.StatusForbidden, two+"/approve")
	bea.sends(two) // who neither uploaded it nor made its preview
	u.wantsPlatform("activate", "1 600 EUR, 2 400.01 EUR, 3 400 EUR")
}
