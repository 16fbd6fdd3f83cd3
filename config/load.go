package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"fleetfuse/breaker"
	"fleetfuse/hostname"
)

// maxProblems bounds what Load reports: beyond it a person fixes the first
// ones and loads again.
const maxProblems = 100

// Load is base with the files, the environment and the flags laid over it, the
// later of these winning. base is usually Default(), changed where a command
// has defaults of its own; its policies are not kept. fs has been parsed, and
// may be nil or lack flags; environ is as os.Environ returns it. The error
// joins all problems, each with its flag, variable or file:line:column; with
// an error the Config is of no use.
func Load(base Config, fs *pflag.FlagSet, environ []string) (Config, error) {
	l := &loader{config: base, env: newEnvironment(environ), flags: fs, settings: settings{}}
	l.config.origins = map[string]Origin{}
	l.add(l.env.check())
	l.readFiles()
	l.readEnvironment()
	l.readFlags()
	l.layProfile()
	l.config.Breakers = resolve(l.settings)
	l.spellHosts()
	l.config.Cluster.spell()
	l.config.Actor.AdvertiseAddress = withPort(l.config.Actor.AdvertiseAddress)
	l.add(l.config.Validate())
	return l.config, l.err()
}

// A loader collects what the sources say, the weakest first, and what is wrong
// with it.
type loader struct {
	config   Config
	env      environment
	flags    *pflag.FlagSet
	settings settings
	paths    []string // of the files, in the order in which they were read
	problems []error
	dropped  int // problems beyond maxProblems
}

func (l *loader) add(err error) {
	for _, problem := range unjoin(err) {
		if l.full() {
			l.dropped++
			continue
		}
		l.problems = append(l.problems, problem)
	}
}

// full reports whether no more problems are kept, so that nobody need work
// out the hint that goes with one.
func (l *loader) full() bool { return len(l.problems) >= maxProblems }

// err joins the problems, in the order in which a person mends files.
func (l *loader) err() error {
	problems := inOrder(l.paths, l.problems)
	if l.dropped > 0 {
		problems = append(problems, fmt.Errorf("and %d more problems", l.dropped))
	}
	return errors.Join(problems...)
}

func (l *loader) readFiles() {
	if texts := l.env.texts(Variable(configFlag)); len(texts) > 0 {
		l.config.Files, l.config.origins[configFlag] = texts, environmentOrigin(Variable(configFlag))
	}
	if texts := writtenFor(l.flags, configFlag); len(texts) > 0 {
		l.config.Files, l.config.origins[configFlag] = texts, flagOrigin(configFlag)
	}
	for _, path := range l.config.Files {
		text, err := ReadFile(path, maxFileBytes)
		if err != nil {
			l.add(fmt.Errorf("%s: %w", l.config.place(configFlag), err))
			continue
		}
		l.readDocument(path, text)
	}
}

func (l *loader) readEnvironment() {
	for i := range options {
		name := Variable(options[i].flag)
		if text, ok := l.env[name]; ok {
			l.setOption(&options[i], text, environmentOrigin(name))
		}
	}
	for _, o := range breakerOptions {
		name := Variable(o.flag)
		l.setBreakers(o.parse, l.env.texts(name), environmentOrigin(name))
	}
	l.setBreakers(parseAnyHost, l.env.texts(breakersVariable), environmentOrigin(breakersVariable))
	l.readFamilies()
}

func (l *loader) readFlags() {
	for i := range options {
		if texts := writtenFor(l.flags, options[i].flag); len(texts) > 0 {
			text := texts[len(texts)-1]
			if options[i].isList() {
				text = strings.Join(texts, ",")
			}
			l.setOption(&options[i], text, flagOrigin(options[i].flag))
		}
	}
	for _, o := range breakerOptions {
		l.setBreakers(o.parse, writtenFor(l.flags, o.flag), flagOrigin(o.flag))
	}
}

func (l *loader) setOption(o *option, text string, origin Origin) {
	if err := o.set(&l.config, text); err != nil {
		l.add(fmt.Errorf("%s: %s %w", origin, o.key, err))
	}
	l.config.origins[o.flag] = origin
}

func (l *loader) setBreakers(parse parseBreaker, texts []string, origin Origin) {
	for _, text := range texts {
		key, list, err := parse(text)
		for _, problem := range unjoin(err) {
			l.add(fmt.Errorf("%s %s: %w", origin, quote(text), problem))
		}
		if err != nil {
			continue
		}
		for _, s := range list {
			s.origin = origin
			l.set(key, s)
		}
	}
}

func (l *loader) set(key breaker.Key, s setting) {
	l.settings[key] = append(l.settings[key], s)
}

// spellHosts gives the allowed hosts their one spelling; what has none is left
// for Validate to report.
func (l *loader) spellHosts() {
	spelled := make([]string, 0, len(l.config.HTTP.AllowedHosts))
	for _, name := range l.config.HTTP.AllowedHosts {
		if host, err := hostname.Normalize(name); err == nil {
			name = host
		}
		spelled = append(spelled, name)
	}
	l.config.HTTP.AllowedHosts = spelled
}
