package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/invopop/jsonschema"
)

// makeSchema makes the schema of the types, with their comments as descriptions.
func makeSchema(t *testing.T) []byte {
	t.Helper()
	r := &jsonschema.Reflector{ExpandedStruct: true, AllowAdditionalProperties: true, BaseSchemaID: "",
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if t == reflect.TypeFor[time.Time]() {
				return &jsonschema.Schema{Type: "string", Format: "date-time"}
			}
			return nil
		}}
	for path, folder := range map[string]string{"makegood/reports": ".", "makegood/reconcile": "../reconcile"} {
		if err := r.AddGoComments(path, folder); err != nil {
			t.Fatal(err)
		}
	}
	s := r.Reflect(&Report{})
	s.ID, s.Title = "", "The report of a run of makegood"
	version, _ := s.Properties.Get("schema")
	version.Const = Schema
	made, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(made, '\n')
}

func TestSchemaIsCurrent(t *testing.T) {
	made := makeSchema(t)
	if *update {
		if err := os.WriteFile("report.schema.json", made, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(made, JSONSchema) {
		t.Error("report.schema.json is not of these types; write it anew with: go test ./reports -update")
	}
}

// faults lists how a value fails a schema. It knows what makeSchema writes and
// refuses every other keyword.
func faults(root, schema map[string]any, value any, at string) (list []string) {
	bad := func(format string, args ...any) { list = append(list, at+": "+fmt.Sprintf(format, args...)) }
	for keyword, rule := range schema {
		switch keyword {
		case "$schema", "$defs", "title", "description":
		case "$ref":
			defined := root["$defs"].(map[string]any)[strings.TrimPrefix(rule.(string), "#/$defs/")]
			list = append(list, faults(root, defined.(map[string]any), value, at)...)
		case "type":
			if typeOf(value) != rule && (rule != "number" || typeOf(value) != "integer") {
				bad("is %s, not %s", typeOf(value), rule)
			}
		case "format":
			if _, err := time.Parse(time.RFC3339, fmt.Sprint(value)); err != nil || rule != "date-time" {
				bad("%v is no %v", value, rule)
			}
		case "const":
			if value != rule {
				bad("is %v, not %v", value, rule)
			}
		case "required":
			for _, key := range rule.([]any) {
				if _, has := value.(map[string]any)[key.(string)]; !has {
					bad("lacks %v", key)
				}
			}
		case "items":
			items, _ := value.([]any)
			for i, item := range items {
				list = append(list, faults(root, rule.(map[string]any), item, fmt.Sprintf("%s/%d", at, i))...)
			}
		case "properties":
			for key, one := range rule.(map[string]any) {
				if part, has := value.(map[string]any)[key]; has {
					list = append(list, faults(root, one.(map[string]any), part, at+"/"+key)...)
				}
			}
		case "additionalProperties":
			known, _ := schema["properties"].(map[string]any)
			object, _ := value.(map[string]any)
			for key, part := range object {
				if _, named := known[key]; !named {
					list = append(list, faults(root, rule.(map[string]any), part, at+"/"+key)...)
				}
			}
		default:
			bad("the keyword %s is not known to this check", keyword)
		}
	}
	return list
}

func typeOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

// unnamed lists the keys of a value that its schema does not name.
func unnamed(root, schema map[string]any, value any, at string) (list []string) {
	if ref, is := schema["$ref"].(string); is {
		schema = root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			list = append(list, unnamed(root, schema["items"].(map[string]any), item, at)...)
		}
	case map[string]any:
		named, _ := schema["properties"].(map[string]any)
		for key, part := range v {
			one, has := named[key].(map[string]any)
			if !has {
				one, has = schema["additionalProperties"].(map[string]any)
			}
			if !has {
				list = append(list, at+"/"+key)
				continue
			}
			list = append(list, unnamed(root, one, part, at+"/"+key)...)
		}
	}
	return list
}

func TestReportsFitTheSchema(t *testing.T) {
	root := parsed(t, string(JSONSchema))
	for name, report := range every(t) {
		var b bytes.Buffer
		if err := JSON(&b, report); err != nil {
			t.Fatal(err)
		}
		value := parsed(t, b.String())
		for _, fault := range append(faults(root, root, value, name), unnamed(root, root, value, name+" (no such key)")...) {
			t.Error(fault)
		}
	}
}

// TestSchemaRefuses says that the check and the schema refuse something at all.
func TestSchemaRefuses(t *testing.T) {
	root := parsed(t, string(JSONSchema))
	for i, spoil := range []func(map[string]any){
		func(r map[string]any) { r["schema"] = 2.0 },
		func(r map[string]any) { delete(r, "targets") },
		func(r map[string]any) { r["started"] = "yesterday" },
		func(r map[string]any) { r["exit"] = 1.5 },
		func(r map[string]any) { r["sources"].([]any)[0].(map[string]any)["rows"] = "12" },
		func(r map[string]any) {
			r["targets"].([]any)[0].(map[string]any)["balance"].(map[string]any)["sent"].(map[string]any)["money"] = map[string]any{"EUR": 1.0}
		},
		func(r map[string]any) { r["targets"].([]any)[0].(map[string]any)["reasons"] = nil },
		func(r map[string]any) {
			r["targets"].([]any)[0].(map[string]any)["timeline"].(map[string]any)["events"].(map[string]any)["sent"] = []any{"1"}
		},
	} {
		var b bytes.Buffer
		if err := JSON(&b, outageNight(t)); err != nil {
			t.Fatal(err)
		}
		value := parsed(t, b.String())
		spoil(value)
		if list := faults(root, root, value, ""); len(list) != 1 {
			t.Errorf("faults of spoilt report %d: %v", i, list)
		}
	}
}
