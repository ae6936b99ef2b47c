package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// An Error is what a request is refused with, in the API's shape.
type Error struct {
	Status  int    `json:"-"`
	Message string `json:"message"`
	Type    string `json:"type"`
	Param   string `json:"param"`
	Code    string `json:"code"`

	retryAfter int // seconds; 0: not told
}

func (e *Error) Error() string { return e.Message }

// MarshalJSON writes an absent param or code as null.
func (e *Error) MarshalJSON() ([]byte, error) {
	null := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	return json.Marshal(map[string]any{"message": e.Message, "type": e.Type, "param": null(e.Param), "code": null(e.Code)})
}

// The types of errors.
const (
	invalidRequest = "invalid_request_error"
	serverError    = "server_error"
)

// badf refuses a request for what one of its fields says.
func badf(param, format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Type: invalidRequest, Param: param, Message: fmt.Sprintf(format, args...)}
}

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that has gone is no failure of ours
}

// refuse answers with an error.
func refuse(w http.ResponseWriter, e *Error) {
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(e.retryAfter))
	}
	answer(w, e.Status, map[string]*Error{"error": e})
}
