package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A neutral field is one that is not served: it may be there with a value that
// changes nothing.
var neutral = map[string][]string{
	"frequency_penalty": {"0"}, "presence_penalty": {"0"}, "logit_bias": {"{}"},
	"suffix": {`""`}, "tools": {"[]"}, "tool_choice": {`"none"`, `"auto"`}, "functions": {"[]"}, "function_call": {`"none"`, `"auto"`},
	"response_format": {`{"type":"text"}`}, "modalities": {`["text"]`}, "audio": {}, "prediction": {}, "web_search_options": {},
	"reasoning_effort": {`"none"`}, "verbosity": {`"medium"`}, "best_of": {"1"},
}

// idle fields concern billing, storing and tracing elsewhere: nothing that is
// generated depends on them.
var idle = []string{
	"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "parallel_tool_calls",
}

// decode reads a request's body into v, whose fields are the ones that are
// served. A field that is not, and could change what is generated, is an error.
func (s *Server) decode(w http.ResponseWriter, r *http.Request, v any, served []string) *Error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return &Error{
			Status: http.StatusUnsupportedMediaType, Type: invalidRequest, Code: "unsupported_content_type",
			Message: fmt.Sprintf("Content-Type is %q: want application/json", r.Header.Get("Content-Type")),
		}
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout)) // a connection without deadlines, in a test
	var body bytes.Buffer
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, s.options.MaxBody))
	_ = control.SetReadDeadline(time.Time{})
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return &Error{
			Status: http.StatusRequestEntityTooLarge, Type: invalidRequest, Code: "request_too_large",
			Message: fmt.Sprintf("the request has more than %d bytes", tooLarge.Limit),
		}
	}
	if err != nil {
		return badf("", "the request did not come whole: %v", err)
	}
	return parse(body.Bytes(), v, served)
}

func parse(body []byte, v any, served []string) *Error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return badf("", "the request is no JSON object: %v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if e := checkField(name, fields[name], served); e != nil {
			return e
		}
	}
	err := json.Unmarshal(body, v)
	if kind := (*json.UnmarshalTypeError)(nil); errors.As(err, &kind) {
		field := strings.TrimPrefix(kind.Field, "common.") // which is how the fields are kept, not how they come
		return badf(field, "%s is a %s: want %s", field, kind.Value, kind.Type)
	}
	if own := (*Error)(nil); errors.As(err, &own) {
		return own
	}
	if err != nil {
		return badf("", "%v", err)
	}
	return nil
}

func checkField(name string, value json.RawMessage, served []string) *Error {
	if slices.Contains(served, name) || slices.Contains(idle, name) {
		return nil
	}
	harmless, known := neutral[name]
	if !known {
		return &Error{
			Status: http.StatusBadRequest, Type: invalidRequest, Param: name, Code: "unknown_parameter",
			Message: fmt.Sprintf("unknown parameter %q", name),
		}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, value); err != nil || compact.String() == "null" || slices.Contains(harmless, compact.String()) {
		return nil
	}
	want := "leave it out"
	if len(harmless) > 0 {
		want = fmt.Sprintf("leave it out or at %s", strings.Join(harmless, " or "))
	}
	return &Error{
		Status: http.StatusBadRequest, Type: invalidRequest, Param: name, Code: "unsupported_parameter",
		Message: fmt.Sprintf("%s is not supported: %s", name, want),
	}
}
