package redis_test

import (
	"net/url"
	"strings"
	"testing"

	"fleetfuse/cooldownstore/redis"
)

func escape(s string) string { return url.QueryEscape(s) }

func TestURL(t *testing.T) {
	for raw, want := range map[string]string{
		"redis://h":                                 "redis://h:6379/0",
		"redis://h/":                                "redis://h:6379/0",
		"redis://h:1/5":                             "redis://h:1/5",
		"rediss://h":                                "rediss://h:6379/0",
		"redis://:s3cret@h":                         "redis://:xxxxx@h:6379/0",
		"redis://@h":                                "redis://h:6379/0",
		"redis://user:s3cret@h":                     "redis://user:xxxxx@h:6379/0",
		"redis://us%40er:s3cret%2F%25@h/2":          "redis://us%40er:xxxxx@h:6379/2",
		"redis://u:s3cret#@s3cret:@h":               "redis://u:xxxxx@h:6379/0",
		"redis://[::1]":                             "redis://[::1]:6379/0",
		"redis://[::1]:7?key_prefix=a%3Ab:":         "redis://[::1]:7/0?key_prefix=a%3Ab%3A",
		"redis+sentinel://u:s3cret@a,b:5,[::2]/m/3": "redis+sentinel://u:xxxxx@a:26379,b:5,[::2]:26379/m/3",
		"rediss+sentinel://a/m":                     "rediss+sentinel://a:26379/m/0",
		"redis+sentinel://a/m?sentinel_password=s3cret/@?+;#":                                  "redis+sentinel://a:26379/m/0?sentinel_password=xxxxx",
		"redis+sentinel://:s3cret@a/m/1?key_prefix=x&sentinel_user=u&sentinel_password=s3cret": "redis+sentinel://:xxxxx@a:26379/m/1?key_prefix=x&sentinel_password=xxxxx&sentinel_user=u",
		"redis://h?key_prefix=a+b%20c":                                                         "redis://h:6379/0?key_prefix=a%2Bb%20c",
		"redis+cluster://:s3cret@a:1,b/0":                                                      "redis+cluster://:xxxxx@a:1,b:6379",
		"rediss+cluster://a?key_prefix=%7Bfleet%7D":                                            "rediss+cluster://a:6379?key_prefix=%7Bfleet%7D",
		"redis+cluster://:s3cret@a:1,b?key_prefix=x:":                                          "redis+cluster://:xxxxx@a:1,b:6379?key_prefix=x%3A",
	} {
		if got := open(t, raw).String(); got != want {
			t.Errorf("%s reads as %s, want %s", raw, got, want)
		}
	}
}

func TestBadURL(t *testing.T) {
	for raw, want := range map[string]string{
		"redis":                                 "redis://host",
		"redis:s3cret":                          "redis://host",
		"s3cret://h":                            "scheme",
		"redis+s3cret://h":                      "scheme",
		"redis://":                              "host",
		"redis://:s3cret@":                      "host",
		"redis://u:s3%@h":                       "%25",
		"redis://s3cret@h":                      "redis://:password@host",
		"redis://s3cret:@h":                     "redis://:password@host",
		"rediss://s3cret@h":                     "redis://:password@host",
		"redis+sentinel://s3cret@h/m":           "redis://:password@host",
		"redis+cluster://s3cret@h,g":            "redis://:password@host",
		"redis://s3@cret:x@h":                   "%40",
		"redis+sentinel://u:7/s3cret@h":         "%40",
		"redis+sentinel://u:7/s3cret@h/1":       "%40",
		"redis://u:s3cret/x@h":                  "%2F",
		"redis://u:s3cret?x@h":                  "%3F",
		"redis://u:7/s3cret@h":                  "%2F",
		"redis://u:7?s3cret@h":                  "%3F",
		"redis://h:0":                           "host:port",
		"redis://h:70000":                       "host:port",
		"redis://h:":                            "host:port",
		"redis://::1":                           "host:port",
		"redis://a,b":                           "several hosts",
		"redis://h/s3cret":                      "number",
		"redis://h/-1":                          "number",
		"redis+sentinel://h":                    "master",
		"redis+sentinel://h/m/s3cret":           "number",
		"redis+cluster://h/1":                   "database 0",
		"redis://h?db=s3cret":                   "key_prefix",
		"redis://h?sentinel_password=s3cret":    "of sentinels",
		"redis+sentinel://h/m?sentinel_user=s3": "needs a sentinel_password",
		"redis+sentinel://h/m?sentinel_password=s3&cret":                 "%26",
		"redis+sentinel://h/m?sentinel_password=s3%":                     "%25",
		"redis+sentinel://h/m?sentinel_password=s3&sentinel_password=s3": "one sentinel_password",
		"redis://h?key_prefix=%0a":                                       "printable",
		"redis://h?key_prefix=%zz":                                       "%25",
		"redis://h?key_prefix=a&key_prefix=b":                            "one key_prefix",
		"redis://h?key_prefix=" + strings.Repeat("x", 129):               "128 bytes",
	} {
		s, err := redis.Open(raw)
		if err == nil {
			s.Close()
			t.Errorf("%s opens as %s, want an error", raw, s)
			continue
		}
		text := err.Error()
		if !strings.Contains(text, want) || !strings.Contains(text, "--cooldown-store") || strings.Contains(text, "s3") {
			t.Errorf("%s: %v, want it to name the setting and %q, and no secret", raw, err, want)
		}
	}
}
