package reconcile

// The codes of a refused plan: they are makegood's exit codes. The first six
// are about what a plan says, the others about who says it.
const (
	RefusedAltered     = 10 // a byte of the file is not what it was
	RefusedExpired     = 11
	RefusedUnapproved  = 12 // nobody has approved it
	RefusedConfig      = 13
	RefusedLedger      = 14 // another ledger, or entries that somebody has worked on
	RefusedOrdersMoved = 15
	RefusedSignature   = 16 // the plan's signature is wrong, or nobody's whose plans are taken
	RefusedApplied     = 17 // it was carried out already
	RefusedApproval    = 18 // what lies beside it is no approval, or was altered
	RefusedApprover    = 19 // nobody approved it whose word counts
	RefusedOtherPlan   = 20 // the approval is of another plan
)

// PlanRefused says why a plan is not carried out. Text names the next step;
// Moved lists the orders that are no longer what the plan saw.
type PlanRefused struct {
	Code  int
	Text  string
	Moved []string
}

// Error gives the text.
func (e *PlanRefused) Error() string { return e.Text }
