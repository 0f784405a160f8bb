package simulator

// memory is everything that the platforms believe. The simulator's lock guards it.
type memory struct {
	platforms    map[string]*totals // by name; the empty name is for paths where no platform lives
	requests     *requestLog
	redirected   uint64
	otherEvents  uint64
	droppedLines uint64
	mixedPersons uint64

	purchases     map[orderKey]*purchase
	purchaseOrder []*purchase // in the order of their first event

	profiles map[personKey]*Profile // of accounts

	persons         map[personKey]*person
	personOrder     []*person
	users           map[string]*person // by the user_id that was given out
	conversions     map[orderKey]*conversion
	conversionOrder []*conversion
	change          uint64 // grows with every change at Collect

	confirmations     map[string]*RoktConfirmation // by order
	confirmationOrder []*RoktConfirmation

	ads     map[adKey]*adConversion
	adOrder []*adConversion // in the order in which they were first told

	adPersons map[adIdentity]*adProfile

	carts     map[string]*EmanageCart // by session
	cartOrder []*EmanageCart          // in the order in which they were made
}

type (
	orderKey  struct{ account, order string }
	personKey struct{ mid, person string }
)

// totals are the figures of one platform.
type totals struct {
	requests, refused, faulted uint64
	accepted, orders, repeats  uint64
	money                      tally
}

func newMemory(keepRequests int) memory {
	return memory{
		platforms:   make(map[string]*totals),
		requests:    newRequestLog(keepRequests),
		purchases:   make(map[orderKey]*purchase),
		profiles:    make(map[personKey]*Profile),
		persons:     make(map[personKey]*person),
		users:       make(map[string]*person),
		conversions: make(map[orderKey]*conversion),
		ads:         make(map[adKey]*adConversion),
		adPersons:   make(map[adIdentity]*adProfile),

		confirmations: make(map[string]*RoktConfirmation),
		carts:         make(map[string]*EmanageCart),
	}
}

func (m *memory) totals(platform string) *totals {
	t := m.platforms[platform]
	if t == nil {
		t = &totals{money: make(tally)}
		m.platforms[platform] = t
	}
	return t
}
