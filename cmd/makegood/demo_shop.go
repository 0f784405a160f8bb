package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"makegood/sources/sqldb"
	"makegood/sources/xlsxfile"
)

//go:embed demo.yaml
var demoConfig string

// demoShop is the small shop of the demonstration: every address in it is made
// up.
type demoShop struct {
	dir    string
	listen string
	now    time.Time
	zone   *time.Location
}

const demoWebOrders = 120

// make writes the shop's files: an order database, a spreadsheet of in-store
// checkouts, a table of open carts, a list of erased people, a configuration.
func (d demoShop) make(ctx context.Context) error {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return fmt.Errorf("make the folder of the demonstration: %w", err)
	}
	return errors.Join(
		d.config(),
		sqldb.Create(ctx, filepath.Join(d.dir, "shop.db"), d.webOrders()),
		xlsxfile.Create(filepath.Join(d.dir, "tills.xlsx"), "Tickets", d.tickets()),
		d.write("open_carts.csv", d.openCarts()),
		d.write("erased.csv", "email\ndirk@example.com\n"),
	)
}

func (d demoShop) write(name, text string) error {
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the demonstration's %s: %w", name, err)
	}
	return nil
}

func (d demoShop) config() error {
	page, err := template.New("demo").Parse(demoConfig)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	values := map[string]string{"Listen": d.listen, "Since": d.now.AddDate(0, 0, -30).Format(time.DateOnly)}
	if err := page.Execute(&text, values); err != nil {
		return err
	}
	return d.write("makegood.yaml", text.String())
}

// clock is a wall-clock time some hours ago.
func (d demoShop) clock(hours float64) string {
	return d.now.In(d.zone).Add(-time.Duration(hours * float64(time.Hour))).Format(time.DateTime)
}

// webOrders is the script of the order database: orders of the last days, one
// in twelve without an address.
func (d demoShop) webOrders() string {
	var b strings.Builder
	b.WriteString(`CREATE TABLE orders (number TEXT PRIMARY KEY, paid_at TEXT, email TEXT, currency TEXT);
CREATE TABLE lines (number TEXT, sku TEXT, name TEXT, quantity INTEGER, price DECIMAL(10,2));
`)
	for i := range demoWebOrders {
		email := fmt.Sprintf("shopper%d@example.com", i)
		if i%12 == 0 {
			email = ""
		}
		number := fmt.Sprintf("1000%05d", i)
		fmt.Fprintf(&b, "INSERT INTO orders VALUES ('%s', '%s', '%s', 'EUR');\n", number, d.clock(1+float64(i)*0.5), email)
		for l := range 1 + i%3 {
			fmt.Fprintf(&b, "INSERT INTO lines VALUES ('%s', '%s', '%s', %d, %d.%02d);\n", number,
				demoGoods[(i+l)%len(demoGoods)].sku, demoGoods[(i+l)%len(demoGoods)].name, 1+l, 5+i%40, (i*37)%100)
		}
	}
	return b.String()
}

var demoGoods = []struct{ sku, name string }{
	{"KETTLE-1", "Kettle, 1.7 l"}, {"TOASTER-2", "Toaster"}, {"MUG-BLUE", "Mug, blue"}, {"MUG-RED", "Mug, red"}, {"TOWEL-4", "Tea towel, set of 4"},
}

// The people whose carts the demonstration follows.
var demoPeople = []struct{ email, what string }{
	{"anna@example.com", "bought in the store everything that lay in her web cart"},
	{"bram@example.com", "bought one thing of the three in his web cart"},
	{"carla@example.com", "paid in the store, and filled her web cart afterwards"},
	{"dirk@example.com", "asked to be erased"},
}

// tickets are the in-store checkouts: the people above, and some others.
func (d demoShop) tickets() [][]any {
	rows := [][]any{{"Ticket", "Time", "Store", "Email", "Article", "Description", "Quantity", "Price"}}
	add := func(ticket int, hours float64, email, sku string, quantity int, price float64) {
		rows = append(rows, []any{ticket, d.clock(hours), "Utrecht", email, sku, "", quantity, price})
	}
	add(5001, 3, "anna@example.com", "KETTLE-1", 1, 39.95)
	add(5001, 3, "anna@example.com", "MUG-BLUE", 2, 7.5)
	add(5002, 4, "bram@example.com", "TOASTER-2", 1, 29.95)
	add(5003, 9, "carla@example.com", "MUG-RED", 1, 7.5)
	add(5004, 5, "dirk@example.com", "TOWEL-4", 1, 12.25)
	for i := range 20 {
		add(5100+i, 2+float64(i), fmt.Sprintf("visitor%d@example.com", i), demoGoods[i%len(demoGoods)].sku, 1+i%2, 9.95)
	}
	return rows
}

// demoCarts are what the web page has told the platform, and the shop knows.
var demoCarts = []struct {
	email, sku string
	quantity   int
	price      string
	hours      float64
}{
	{"anna@example.com", "KETTLE-1", 1, "39.95", 30},
	{"anna@example.com", "MUG-BLUE", 2, "7.50", 30},
	{"bram@example.com", "TOASTER-2", 1, "29.95", 28},
	{"bram@example.com", "MUG-RED", 4, "7.50", 28},
	{"bram@example.com", "TOWEL-4", 1, "12.25", 28},
	{"carla@example.com", "MUG-RED", 1, "7.50", 1},
	{"carla@example.com", "KETTLE-1", 1, "39.95", 1},
}

func (d demoShop) openCarts() string {
	var b strings.Builder
	b.WriteString("email,sku,quantity,price,last_activity\n")
	for _, c := range demoCarts {
		fmt.Fprintf(&b, "%s,%s,%d,%s,%s\n", c.email, c.sku, c.quantity, c.price, d.clock(c.hours))
	}
	return b.String()
}

// fillCarts tells the platform of the open carts, as the shop's page did.
func (d demoShop) fillCarts(ctx context.Context) error {
	byPerson := map[string][]string{}
	for _, c := range demoCarts {
		byPerson[c.email] = append(byPerson[c.email],
			fmt.Sprintf(`{"item":%q,"quantity":"%d","price":%q,"unique_id":%q}`, c.sku, c.quantity, c.price, c.sku))
	}
	for email, lines := range byPerson {
		body := fmt.Sprintf(`{"payload":{"cart":[%s],"url":"https://www.example.com/cart","user_info":{"email":%q}}}`, strings.Join(lines, ","), email)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+d.listen+"/c2/123456/track_cart", strings.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return fmt.Errorf("fill the carts of the demonstration: %w", err)
		}
		if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
			return fmt.Errorf("fill the carts of the demonstration: status %d, %w", res.StatusCode, err)
		}
	}
	return nil
}
