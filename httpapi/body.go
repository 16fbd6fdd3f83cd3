package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"fleetfuse/breaker"
)

// read decodes a JSON body; unknown fields and trailing text are errors. It
// answers the request itself if it returns false.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("there is text after the JSON value")
		}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return true
	case errors.As(err, &tooLarge):
		fail(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is longer than %d bytes", tooLarge.Limit), "send several smaller reports")
	default:
		fail(w, http.StatusBadRequest, "the body is not what this call takes: "+breaker.Cut(whyNotRead(err)), "GET /openapi.json shows the fields")
	}
	return false
}

// whyNotRead is an error of encoding/json for those who do not know Go.
func whyNotRead(err error) string {
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF):
		return "it is empty"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends in the middle"
	case errors.As(err, &wrong) && wrong.Field == "":
		return fmt.Sprintf("it is %s, not %s", found(wrong.Value), inJSON(wrong.Type))
	case errors.As(err, &wrong):
		return fmt.Sprintf("%s is %s, not %s", wrong.Field, found(wrong.Value), inJSON(wrong.Type))
	case errors.As(err, &syntax):
		return fmt.Sprintf("it is no JSON: %v at byte %d", err, syntax.Offset)
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// found is a value that encoding/json describes by one word, or a number.
func found(value string) string {
	if strings.HasPrefix(value, "array") || strings.HasPrefix(value, "object") {
		return "an " + value
	}
	return "a " + value
}

// inJSON is what JSON calls the values of a type.
func inJSON(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number in its limits"
}
