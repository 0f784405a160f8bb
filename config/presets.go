package config

// presets are the exports that are known. Where an export has no address, it is for a join to give one.
var presets = []Preset{shopify, woocommerce, magento2, lightspeed, square, emanage}

// PresetNames lists the names of the presets.
func PresetNames() []string {
	var names []string
	for _, p := range presets {
		names = append(names, p.Name)
	}
	return names
}

// shopify is the order export of the admin: 79 columns, one row a line, the fields of the order on its first row only
// [C: header of a real export]. Times carry their offset [C]. "Lineitem discount" is the discount of the line [I]; the
// discount of the whole order is not spread over lines, so the value is that of goods after their own discounts. An
// article without a SKU goes by its name. Test orders are not marked [U].
var shopify = Preset{
	Name: "shopify", Title: "Shopify's order export",
	Columns: map[string][]string{
		"order":        {"Name"},
		"completed_at": {`= row["Paid at"] == "" ? row["Created at"] : row["Paid at"]`, "Created at"},
		"ordered_at":   {"Created at"},
		"status":       {"Financial Status"},
		"email":        {"Email"},
		"currency":     {"Currency"},
		"sku":          {`= row["Lineitem sku"] == "" ? row["Lineitem name"] : row["Lineitem sku"]`},
		"name":         {"Lineitem name"},
		"quantity":     {"Lineitem quantity"},
		"line_total": {
			`= sub(mul(row["Lineitem price"], row["Lineitem quantity"]), row["Lineitem discount"] == "" ? "0" : row["Lineitem discount"])`,
			`= mul(row["Lineitem price"], row["Lineitem quantity"])`,
		},
		"country":    {"Billing Country"},
		"city":       {"Billing City"},
		"phone":      {"Phone"},
		"newsletter": {"Accepts Marketing"},
		"channel":    {`= row["Source"] == "pos" ? "in_store" : row["Source"] == "web" || row["Source"] == "" ? "online" : "other"`},
	},
	Channel:       "online",
	CompletedWhen: []string{"paid", "partially_refunded"},
	NotCompleted:  []string{"pending", "authorized", "partially_paid", "refunded", "voided", "expired", "unpaid"},
	LeaveOut:      []Rule{{Reason: "cancelled", When: `row["Cancelled at"] != ""`}},
}

// woocommerce has no order export of its own; these are the columns of the two plug-ins that most shops use, in their
// form with one row a line [C]. Money of a line is with its tax where the export has it. Times are the site's, without
// a zone [C].
var woocommerce = Preset{
	Name: "woocommerce", Title: "an order export of WooCommerce with one row a line",
	Columns: map[string][]string{
		"order":        {"order_number_formatted", "order_number", "Order Number", "order_id", "Order ID"},
		"completed_at": {"paid_date", "date_paid", "Paid Date", "date", "order_date", "Order Date"},
		"ordered_at":   {"date", "order_date", "Order Date"},
		"status":       {"status", "order_status", "Order Status"},
		"email":        {"billing_email", "customer_email", "Email (Billing)", "Billing Email"},
		"customer":     {"customer_id", "Customer User ID"},
		"currency":     {"order_currency", "currency", "Order Currency"},
		"sku": {
			`= row["item_sku"] == "" ? row["item_product_id"] : row["item_sku"]`, "item_sku",
			`= row["SKU"] == "" ? row["Item Name"] : row["SKU"]`, "SKU",
		},
		"name":       {"item_name", "Item Name"},
		"quantity":   {"item_quantity", "Quantity (- Refund)", "Quantity"},
		"line_total": {`= add(row["item_total"], row["item_total_tax"])`, "item_total", "Order Line Total (include tax)", "Order Line Total"},
		"price":      {"Item Cost"},
		"country":    {"billing_country", "Country Code (Billing)"},
	},
	Channel:       "online",
	CompletedWhen: []string{"completed", "processing", "wc-completed", "wc-processing"},
	NotCompleted: []string{"pending", "pending payment", "on-hold", "on hold", "cancelled", "refunded", "failed", "draft", "checkout-draft",
		"wc-pending", "wc-on-hold", "wc-cancelled", "wc-refunded", "wc-failed", "wc-checkout-draft"},
	Refused: []RefusedHeader{{[]string{"line_item_1"},
		"it has the lines of an order side by side (line_item_1, line_item_2 ...); choose the form with one row for each line in the plug-in"}},
}

// magento2 is what a query over sales_order and sales_order_item gives under the names of their columns [P: the tables].
// Times there are UTC [P]: set zone: UTC. Lines of configurable articles stand twice, the child without a price [P]: it
// is skipped by its parent_item_id. The grid of the admin exports no lines.
var magento2 = Preset{
	Name: "magento2", Title: "Magento 2's sales_order with sales_order_item",
	Columns: map[string][]string{
		"order":        {"increment_id"},
		"completed_at": {"created_at"},
		"status":       {"status"},
		"email":        {"customer_email"},
		"customer":     {"customer_id"},
		"currency":     {"order_currency_code"},
		"store":        {"store_id"},
		"line":         {"item_id"},
		"sku":          {"sku"},
		"name":         {"name"},
		"quantity":     {"qty_ordered"},
		"line_total":   {`= sub(row["row_total_incl_tax"], row["discount_amount"] == "" ? "0" : row["discount_amount"])`, "row_total_incl_tax", "row_total"},
		"price":        {"price_incl_tax", "price"},
	},
	Channel:       "online",
	CompletedWhen: []string{"processing", "complete"},
	NotCompleted: []string{"pending", "pending_payment", "payment_review", "fraud", "holded", "canceled", "closed", "new",
		"paypal_reversed", "paypal_canceled_reversal", "pending_paypal"},
	SkipLines: []LineRule{{Rule: Rule{Reason: "part_of_a_set", When: `row["parent_item_id"] != ""`}}},
	Refused: []RefusedHeader{{[]string{"Purchase Point", "Purchase Date", "Grand Total (Purchased)"},
		"the grid of orders exports no lines; export a query over sales_order and sales_order_item, or read the database with type: sql"}},
}

// lightspeed is the sales history of Lightspeed Retail X-Series (Vend): rows of three kinds, the sale itself, its lines
// and its payments, of which only lines have goods [C]. The address stands on the row of the sale [C]. Receipt numbers
// are counted by register [C]: say order_unique. Times are the outlet's, without a zone [C].
var lightspeed = Preset{
	Name: "lightspeed", Title: "the sales history of Lightspeed Retail X-Series",
	Columns: map[string][]string{
		"order":        {"Receipt Number"},
		"completed_at": {"Date"},
		"status":       {`= row["Line Type"] == "Sale" ? row["Status"] : ""`, "Status"},
		"email":        {"Customer Email"},
		"customer":     {"Customer Code"},
		"store":        {"Outlet", "Register"},
		"till":         {"Register"},
		"sku":          {"Sku"},
		"name":         {"Details"},
		"quantity":     {"Quantity"},
		"line_total":   {"Total"},
	},
	Channel:       "in_store",
	CompletedWhen: []string{"closed", "onaccount", "onaccount_closed", "layby_closed", "dispatched_closed", "pickup_closed"},
	NotCompleted:  []string{"saved", "layby", "voided", "awaiting_dispatch", "awaiting_pickup"},
	SkipLines:     []LineRule{{Rule: Rule{Reason: "no_line", When: `row["Line Type"] != "Sale Line"`}}},
}

// square is the item details export: one row an item, date and time in two columns, amounts with a currency sign, tax
// apart [C]. It has no address: join the customers' export by Customer ID. It has no currency [C]: set one. Its column
// Time Zone holds names that are none of the IANA [C]: set zone.
var square = Preset{
	Name: "square", Title: "Square's item details",
	Columns: map[string][]string{
		"order":        {"Transaction ID"},
		"completed_at": {`= row["Date"] + " " + row["Time"]`},
		"customer":     {"Customer ID"},
		"store":        {"Location"},
		"till":         {"Device Name"},
		"sku":          {`= row["SKU"] == "" ? row["Item"] : row["SKU"]`, "Item"},
		"name":         {"Item"},
		"quantity":     {"Qty"},
		"line_total":   {"Net Sales"},
	},
	Channel:  "in_store",
	LeaveOut: []Rule{{Reason: "refund", When: `row["Event Type"] == "Refund"`}},
}

// emanage is the order export of EmanageCRM, as a file or from its API (type: emanage): several rows an order, one a
// receipt, whose names vary [C]. Its zone is not documented [U]: set one. Which columns hold article, quantity and
// address is not known [U]: those here are a guess, and columns says better. Receipts that were not paid are no lines.
var emanage = Preset{
	Name: "emanage", Title: "EmanageCRM's order export",
	Columns: map[string][]string{
		"order":        {"Order ID", "OrderId"},
		"completed_at": {"Order Create Date", "createDate"},
		"updated_at":   {"Updated Date"},
		"status":       {"Order Status Name", "OrderStatus"},
		"line":         {"Receipt ID"},
		"line_total":   {"Total", "Amount", "productPrice"},
		"currency":     {"Currency Code"},
		"email":        {"Email", "Mail", "Customer Email"},
		"sku":          {"SKU", "Product SKU", "Product ID"},
		"name":         {"Product Name"},
		"quantity":     {"Quantity", `= "1"`},
	},
	Channel:       "online",
	CompletedWhen: []string{"completed", "paid"},
	NotCompleted:  []string{"pending", "declined", "refunded", "cancelled", "chargeback", "new"},
	SkipLines: []LineRule{
		{Rule: Rule{Reason: "not_paid", When: `!(lower(row["Receipt Status Name"]) in ["paid", "completed", ""])`}},
		{Rule: Rule{Reason: "not_paid", When: `!(lower(row["PaymentStatus"]) in ["paid", "completed", ""])`}},
	},
}
