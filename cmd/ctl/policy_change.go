package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/client/admin"
)

// A changeFlags holds the flags that all changes of a policy have.
type changeFlags struct {
	reason  string
	version string // "" for any
	dryRun  bool
}

func (f *changeFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.reason, "reason", "", "a `text` for those who ask later")
	cmd.Flags().StringVar(&f.version, "check-version", "", "do nothing unless the policy is at this `version`")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would change, and change nothing")
}

func (f *changeFlags) check(cmd *cobra.Command) error {
	if err := checkReason(f.reason); err != nil {
		return err
	}
	return checkVersion(cmd, "check-version", f.version)
}

func (s *session) policyReplaceCommand() *cobra.Command {
	var flags changeFlags
	var sets, unsets []string
	var length string
	cmd := &cobra.Command{
		Use:   "replace HOST {--set FIELD=VALUE | --unset FIELD}... [--for 30m]",
		Short: "Replace fields of a policy, for a time or until further notice",
		Long: `Replace fields of the policy of a breaker, for the whole fleet: --set puts
fields into the operator's overlay, --unset takes some out of it, the rest of it
stays. With --for the fields of --set are replaced for a time, 30 days at most.
Runs, windows and cooldowns stay as they are.

A value is a number, true, false, a list of numbers (429,503; one alone: 429,)
or text such as 90s. Fields are called as in a configuration file; one of a role
is roles.ROLE.FIELD. "policy show HOST --all" lists them.

--dry-run prints what would change and the command that applies exactly that.`,
		Example: `  fleetfuse-ctl policy replace api.example.org --set fail_max=3 --set reset=90s
  fleetfuse-ctl policy replace api.example.org --set mode=shadow --for 30m
  fleetfuse-ctl policy replace api.example.org --unset fail_max --dry-run`,
		SuggestFor:        []string{"set", "change", "edit", "patch", "unset"},
		Args:              onlyHost,
		ValidArgsFunction: s.completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.replacePolicy(cmd, args[0], &flags, sets, unsets, length)
		},
	}
	cmd.Flags().StringArrayVar(&sets, "set", nil, "`FIELD=VALUE` to put into the overlay; again for more")
	cmd.Flags().StringArrayVar(&unsets, "unset", nil, "`FIELD` to take out of the overlay; again for more")
	cmd.Flags().StringVar(&length, "for", "", "for how long: a `duration` such as 90s, 30m or 2d")
	flags.add(cmd)
	for flag, end := range map[string]string{"set": "=", "unset": ""} {
		_ = cmd.RegisterFlagCompletionFunc(flag, s.completeFields(end)) // fails only for a flag that is not there
	}
	return cmd
}

func (s *session) replacePolicy(cmd *cobra.Command, host string, flags *changeFlags, sets, unsets []string, length string) error {
	change, err := s.change(cmd, host, sets, unsets, length)
	if err != nil {
		return err
	}
	if err := flags.check(cmd); err != nil {
		return err
	}
	client, key, err := s.target(cmd, host)
	if err != nil {
		return err
	}
	change.Reason = flags.reason
	r, err := client.ChangePolicy(cmd.Context(), key, change, admin.PolicyOptions{Match: flags.version, DryRun: flags.dryRun})
	if err != nil {
		return moved(err, key, flags.version, "")
	}
	return s.printChanged(r, changed{
		done: "replaced", length: change.For, apply: s.applied(cmd, key, flags, r.Version, changeWords(sets, unsets, length)),
	})
}

// change is what the flags of replace say.
func (s *session) change(cmd *cobra.Command, host string, sets, unsets []string, length string) (api.PolicyChange, error) {
	fields, err := parseSets(sets, unsets)
	var d time.Duration
	if err == nil {
		d, err = temporaryLength(length, len(fields))
	}
	if err != nil {
		return api.PolicyChange{}, &usageError{what: err.Error(), try: cmd.CommandPath() + " " + shellWord(host) + " --set fail_max=3 --dry-run"}
	}
	change := api.PolicyChange{Set: fields, Unset: unsets, Author: s.author()}
	if d > 0 {
		change.For = d.String()
	}
	return change, nil
}

// changeWords writes the flags of replace for a shell.
func changeWords(sets, unsets []string, length string) []string {
	var words []string
	for _, text := range sets {
		name, value, _ := strings.Cut(text, "=")
		word := shellWord(text)
		if shellWord(name) == name {
			word = name + "=" + shellWord(value)
		}
		words = append(words, "--set", word)
	}
	for _, name := range unsets {
		words = append(words, "--unset", shellWord(name))
	}
	if length != "" {
		words = append(words, "--for", shellWord(length))
	}
	return words
}

func (s *session) policyResetCommand() *cobra.Command {
	var flags changeFlags
	cmd := &cobra.Command{
		Use:   "reset HOST [--reason TEXT]",
		Short: "Undo everything that operators and the tuner replaced of a policy",
		Long: `Undo everything that operators and the tuner replaced of the policy of a
breaker: what the configuration says is in force again. "policy rollback" brings
back what operators had replaced, "breaker advise" what the tuner would replace.
To undo the operators' part alone: "policy rollback HOST --to 0".`,
		Example: `  fleetfuse-ctl policy reset api.example.org --dry-run
  fleetfuse-ctl policy reset api.example.org --reason "the host is well again"`,
		Args:              oneHost,
		ValidArgsFunction: s.completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(cmd); err != nil {
				return err
			}
			client, key, err := s.target(cmd, args[0])
			if err != nil {
				return err
			}
			r, err := client.ResetPolicy(cmd.Context(), key, s.author(), flags.reason, admin.PolicyOptions{Match: flags.version, DryRun: flags.dryRun})
			if err != nil {
				return moved(err, key, flags.version, "")
			}
			return s.printChanged(r, changed{done: "reset", apply: s.applied(cmd, key, &flags, r.Version, nil)})
		},
	}
	flags.add(cmd)
	return cmd
}

// applied is the command that does what was tried, on the same node and from
// the same version, for a shell.
func (s *session) applied(cmd *cobra.Command, key breaker.Key, f *changeFlags, version string, words []string) string {
	line := append([]string{cmd.CommandPath(), hostArg(key)}, words...)
	add := func(flag, value string) {
		if value != "" {
			line = append(line, flag, shellWord(value))
		}
	}
	add("--reason", f.reason)
	add("--check-version", version)
	add("--addr", s.addr)
	for _, file := range tlsFiles(&s.files) {
		add("--"+file.flag, *file.path)
	}
	return strings.Join(line, " ")
}

// A changed is what a command did, or would do.
type changed struct {
	done   string // in a word, such as "replaced"
	length string // how long it lasts; "" for ever
	apply  string // the command that does it
}

// printChanged says what changed and how safely, or what would change and how
// to make it so.
func (s *session) printChanged(r api.PolicyChanged, c changed) error {
	if s.json() {
		if err := s.printJSON(r); err != nil {
			return err
		}
	} else if err := s.print(s.changedText(r, c)); err != nil {
		return err
	}
	switch {
	case r.DryRun:
	case !r.Durable:
		s.sayVolatile(r.Key, r.Detail)
	case r.Detail != "":
		s.say("warning: %s: %s", r.Key, r.Detail)
	}
	return nil
}

func (s *session) changedText(r api.PolicyChanged, c changed) string {
	d, err := time.ParseDuration(c.length)
	lasts := err == nil
	if r.DryRun {
		text := printable(r.Key) + "  dry run: nothing was changed\n" + changesText(r.Changes)
		if lasts { // it begins when it is applied
			text += "set for " + span(d) + "\n"
		}
		if r.TunerReset {
			text += "what the tuner replaced goes, too\n"
		}
		return text + "Apply it with:\n  " + printable(c.apply) + "\n"
	}
	text := printable(fmt.Sprintf("%s  %s, %s, by %s", r.Key, c.done, safety(r.Durable, r.Copies), s.author())) + "\n" + changesText(r.Changes)
	if lasts {
		text += fmt.Sprintf("set for %s, until %s\n", span(d), moment(s.env.now().Add(d)))
	}
	if r.TunerReset {
		text += "what the tuner had replaced is gone, too\n"
	}
	return text + printable("version "+r.Version+", made from "+r.Base) + "\n"
}

// onlyHost wants one HOST, and sees a field that lacks its --set.
func onlyHost(cmd *cobra.Command, args []string) error {
	for _, arg := range args {
		if strings.Contains(arg, "=") {
			return &usageError{what: fmt.Sprintf("%q is no HOST; a field is given with --set", arg), try: cmd.CommandPath() + " HOST --set " + shellWord(arg)}
		}
	}
	return oneHost(cmd, args)
}
