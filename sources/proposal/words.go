package proposal

import (
	"strings"
	"unicode"
)

// field is a name of config.ColumnNames, the words by which its column is known
// in several languages, the best first, and what its values look like.
type field struct {
	name  string
	words []string
	holds func(string) bool // nil: anything
}

// exact is the score of a column that is called just so.
const exact = 100

// score says how well a column's name fits: exact less the word's place, 1 where
// it only holds the first words, 0 where it does not fit.
func (f field) score(column string) int {
	name := plain(column)
	for i, w := range f.words {
		if name == w {
			return exact + len(f.words) - i
		}
	}
	for _, w := range f.words {
		if len(w) > 3 && strings.Contains(name, w) {
			return 1
		}
	}
	return 0
}

// plain is a column's name in small letters without spaces, signs and accents.
func plain(s string) string {
	accents := strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "é", "e", "è", "e", "ê", "e", "á", "a", "à", "a", "ó", "o", "í", "i",
		"ú", "u", "ñ", "n", "ç", "c", "ô", "o", "ï", "i", "ë", "e")
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return r
	}, accents.Replace(strings.ToLower(s)))
}

// fields are in the order in which columns are given away: what is told best by
// its name comes first. English, Dutch, German, French, Spanish.
var fields = []field{
	{"order", strings.Fields("ordernumber orderno orderid ordernr invoiceno invoicenumber bestelnummer ordernummer factuurnummer " +
		"bestellnummer bestellnr auftragsnummer auftragsnr rechnungsnummer rechnungsnr numerodecommande numerocommande ncommande numeropedido " +
		"numerodepedido receiptnumber ticketnumber bonnummer kassenbon basketid transactionid incrementid order pedido commande reference"), nil},
	{"completed_at", strings.Fields("paidat completedat datepaid paiddate completeddate orderdate invoicedate besteldatum factuurdatum betaaldatum " +
		"bestelldatum rechnungsdatum kaufdatum bezahltam datedecommande datecommande fechadepedido fechapedido transactiontimestamp createdat " +
		"dateadded timestamp datetime date datum fecha time"), isTime},
	{"email", strings.Fields("email emailaddress customeremail billingemail mail emailadres emailadresse kundenmail correo correoelectronico " +
		"courriel adressemail"), isAddress},
	{"customer", strings.Fields("customerid customernumber customerno klantnummer klantid kundennummer kundennr kundenid numeroclient clientid " +
		"idcliente householdid customer"), nil},
	{"sku", strings.Fields("sku lineitemsku articlenumber articleno itemnumber stockcode artikelnummer artikelnr artikelcode productcode productid " +
		"refarticle codigo codigoarticulo ean gtin article artikel"), nil},
	{"name", strings.Fields("productname itemname articlename description omschrijving productnaam bezeichnung artikelbezeichnung beschreibung " +
		"designation libelle descripcion nombre item title product"), nil},
	{"quantity", strings.Fields("quantity qty qtyordered aantal menge anzahl stueck quantite cantidad count units"), isNumber},
	{"line_total", strings.Fields("linetotal rowtotal linesum lineamount salesvalue netsales regeltotaal regelbedrag zeilensumme positionssumme " +
		"gesamtpreis totalligne importelinea amount bedrag betrag montant importe"), isNumber},
	{"price", strings.Fields("unitprice priceperunit stukprijs eenheidsprijs einzelpreis stueckpreis prixunitaire preciounitario price prijs preis " +
		"prix precio"), isNumber},
	{"total", strings.Fields("ordertotal grandtotal totaalbedrag gesamtbetrag totalcommande totalpedido"), isNumber},
	{"currency", strings.Fields("currency currencycode valuta waehrung devise moneda"), nil},
	{"status", strings.Fields("status orderstatus paymentstatus financialstatus bestelstatus bestellstatus statut estado"), nil},
	{"store", strings.Fields("store storeid storename winkel filiaal filiale magasin tienda outlet location"), nil},
	{"till", strings.Fields("till tillid register kassa kasse caisse caja terminal"), nil},
	{"country", strings.Fields("country countrycode land billingcountry pays pais"), nil},
	{"language", strings.Fields("language locale taal sprache langue idioma"), nil},
}

func isAddress(s string) bool {
	at := strings.IndexByte(s, '@')
	return at > 0 && strings.Contains(s[at:], ".") && !strings.ContainsAny(s, " ,;")
}

// isTime is a text that begins with digits and separators, as dates do.
func isTime(s string) bool {
	digits := strings.Count(s, "-") + strings.Count(s, "/") + strings.Count(s, ".")
	return s[0] >= '0' && s[0] <= '9' && digits >= 1 && len(s) >= 6
}

func isNumber(s string) bool {
	digits := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	return digits > 0 && 2*digits >= len([]rune(s))-4
}
