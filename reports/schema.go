package reports

import _ "embed"

// JSONSchema is the schema of the JSON form (draft 2020-12), for programs that
// read it. It is made of the types of this package, by a test.
//
//go:embed report.schema.json
var JSONSchema []byte
