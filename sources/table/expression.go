package table

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"makegood/sources/internal/near"
)

// expression is a compiled rule or mapping over the texts of a row.
type expression struct {
	key     string   // where it stands in the configuration
	columns []string // names that it reads, sorted, joined ones included
	member  []bool   // by column: written as row["..."]
	program *vm.Program
}

// floats are functions that would bring floats, or the hour of the run, into
// what must be exact and repeatable.
var floats = []string{"float", "mean", "median", "now", "round"}

// compile checks source, which must give text or, for a rule, true or false.
func compile(key, source string, result reflect.Kind, n numbers) (*expression, error) {
	source = strings.TrimPrefix(strings.TrimSpace(source), "=")
	tree, err := parser.Parse(source)
	if err != nil {
		return nil, fmt.Errorf("read the expression of %s: %w", key, err)
	}
	found := &references{columns: map[string]bool{}, members: map[string]bool{}, local: map[string]bool{}, point: n.point}
	ast.Walk(&tree.Node, found)
	if err := found.check(); err != nil {
		return nil, fmt.Errorf("read the expression of %s: %w", key, err)
	}
	env := map[string]any{"row": map[string]string{}}
	for name := range found.columns {
		env[name] = ""
	}
	options := append(n.functions(), expr.Env(env), expr.AsKind(result))
	for _, name := range floats {
		options = append(options, expr.DisableBuiltin(name))
	}
	program, err := expr.Compile(source, options...)
	if err != nil {
		return nil, fmt.Errorf("read the expression of %s: %w", key, err)
	}
	e := &expression{key: key, program: program}
	e.name(found)
	return e, nil
}

func (e *expression) name(found *references) {
	for name := range found.columns {
		e.columns = append(e.columns, name)
	}
	for name := range found.members {
		if !found.columns[name] {
			e.columns = append(e.columns, name)
		}
	}
	slices.Sort(e.columns)
	e.member = make([]bool, len(e.columns))
	for i, name := range e.columns {
		e.member[i] = found.members[name]
	}
}

// uses reports whether the expression reads any of the names.
func (e *expression) uses(names map[string]bool) bool {
	return slices.ContainsFunc(e.columns, func(c string) bool { return names[c] })
}

// references collects the columns that an expression reads.
type references struct {
	columns, members, local map[string]bool
	called                  []*ast.IdentifierNode
	rows, indexed           int
	point                   byte
	err                     error
}

// Visit is called for children before their parents.
func (r *references) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if n.Value == "row" {
			r.rows++
		} else {
			r.columns[n.Value] = true
		}
	case *ast.VariableDeclaratorNode:
		r.local[n.Name] = true
	case *ast.MemberNode:
		r.memberOf(n)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			r.called = append(r.called, callee)
			r.literals(callee.Value, n.Arguments)
		}
	case *ast.BuiltinNode:
		if arithmetic[n.Name] > 0 {
			r.literals(n.Name, n.Arguments)
		}
	}
}

func (r *references) memberOf(n *ast.MemberNode) {
	if of, ok := n.Node.(*ast.IdentifierNode); !ok || of.Value != "row" {
		return
	}
	if name, ok := n.Property.(*ast.StringNode); ok {
		r.indexed++
		r.members[clean(name.Value)] = true
	}
}

// literals refuses a number written with a point where the source's decimal
// sign is a comma: 1.195 would be read as 1195.
func (r *references) literals(function string, args []ast.Node) {
	for _, arg := range args {
		text, ok := arg.(*ast.StringNode)
		if ok && arithmetic[function] > 0 && r.point == ',' && strings.Contains(text.Value, ".") {
			r.err = fmt.Errorf("write the number %q with the source's decimal sign, as %q", text.Value,
				strings.Replace(text.Value, ".", ",", 1))
		}
	}
}

func (r *references) check() error {
	if r.rows > r.indexed {
		return errors.New(`row must be followed by a column's name in quotes, as in row["Customer ID"]`)
	}
	for _, callee := range r.called {
		if arithmetic[callee.Value] == 0 {
			return r.unknown(callee.Value)
		}
		delete(r.columns, callee.Value)
	}
	for name := range r.local {
		delete(r.columns, name)
	}
	return r.err
}

func (r *references) unknown(function string) error {
	known := slices.Clone(builtin.Names)
	for name := range arithmetic {
		known = append(known, name)
	}
	slices.Sort(known)
	if k := near.Name(function, known); k != "" {
		return fmt.Errorf("there is no function %s; did you mean %s?", function, k)
	}
	return fmt.Errorf("there is no function %s", function)
}

// evaluator runs an expression and remembers the last answer: most rows of an
// order have the same values in the columns that it reads.
type evaluator struct {
	*expression
	machine vm.VM
	env     map[string]any
	row     map[string]string
	last    []string
	known   bool
	out     any
	err     error
}

func newEvaluator(e *expression) *evaluator {
	v := &evaluator{expression: e, env: map[string]any{}, row: map[string]string{}, last: make([]string, len(e.columns))}
	v.env["row"] = v.row
	return v
}

// run gives the result for values, one per column of the expression.
func (v *evaluator) run(values []string) (any, error) {
	if v.known && slices.Equal(v.last, values) {
		return v.out, v.err
	}
	for i, value := range values {
		if v.known && v.last[i] == value {
			continue
		}
		value = strings.Clone(value)
		v.last[i] = value
		v.env[v.columns[i]] = value
		if v.member[i] {
			v.row[v.columns[i]] = value
		}
	}
	v.known = true
	v.out, v.err = v.machine.Run(v.program, v.env)
	if v.err != nil {
		v.err = ofRow(v.err)
	}
	return v.out, v.err
}

// refusal is what a function of arithmetic says about a value. It holds no
// more of the value than shape shows.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// ofRow keeps our own words of a failed evaluation. Those of the library may
// repeat the value, which could be an address.
func ofRow(err error) error {
	if r, ok := errors.AsType[refusal](err); ok {
		return r.error
	}
	return errors.New("the expression cannot be worked out for this row")
}

// text gives the cleaned result of a mapping.
func (v *evaluator) text(values []string) (string, error) {
	out, err := v.run(values)
	if err != nil {
		return "", err
	}
	s, ok := out.(string)
	if !ok && out != nil {
		return "", errors.New("the expression gives no text; string(...) makes one")
	}
	return clean(s), nil
}

// holds gives the result of a rule.
func (v *evaluator) holds(values []string) (bool, error) {
	out, err := v.run(values)
	if err != nil {
		return false, err
	}
	yes, ok := out.(bool)
	if !ok {
		return false, errors.New("the expression is neither true nor false")
	}
	return yes, nil
}
