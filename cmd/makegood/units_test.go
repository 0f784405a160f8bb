package main

import (
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"makegood/cmd/makegood/workers"
)

// TestUnits: the manifest is YAML, and what the files start is understood by the
// command line.
func TestUnits(t *testing.T) {
	text, err := units.ReadFile("units/kubernetes.yaml")
	check(t, err)
	var kinds []string
	for in := yaml.NewDecoder(strings.NewReader(string(text))); ; {
		var one struct {
			Kind string         `yaml:"kind"`
			Spec map[string]any `yaml:"spec"`
		}
		err := in.Decode(&one)
		if err == io.EOF {
			break
		}
		check(t, err)
		kinds = append(kinds, one.Kind)
	}
	if got := strings.Join(kinds, " "); got != "PersistentVolumeClaim Deployment CronJob" {
		t.Errorf("the manifest has %s", got)
	}
	systemd := unitTexts(t)
	for _, args := range [][]string{{"serve", "-c"}, {"run", "--schedule", "nightly", "-c"}} {
		found := strings.Contains(string(text), "["+strings.Join(args, ", ")+", ") && strings.Contains(systemd, "/makegood "+strings.Join(args, " ")+" ")
		if code, _, errs := makegood(t, append(args, filepath.Join(t.TempDir(), "none.yaml"), "--log-format", "json")...); !found || code == exitUsage {
			t.Errorf("%v: in the files %v, exit %d, %s", args, found, code, errs)
		}
	}
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not here: the units were not verified by it")
		return
	}
	dir := t.TempDir()
	code, _, errs := makegood(t, "init", "--systemd", "--output", dir)
	if code != exitDone {
		t.Fatal(errs)
	}
	calendar := regexp.MustCompile(`(?m)^OnCalendar=(.*)$`).FindStringSubmatch(systemd)
	if out, err := exec.Command(verify, "calendar", calendar[1]+" Europe/Amsterdam").CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", calendar[1], err, out)
	}
	for _, name := range systemdUnits {
		out, err := exec.Command(verify, "verify", "--man=no", filepath.Join(dir, name)).CombinedOutput()
		if lines := strings.TrimSpace(string(out)); err != nil && !strings.Contains(lines, "is not executable") {
			t.Errorf("%s: %v\n%s", name, err, lines)
		}
	}
}

// TestKubernetesWorkers: the manifest of workers is YAML, its command line is
// understood, it takes its secrets from Secrets, shares no disk with anybody, and
// lets a worker end in order.
func TestKubernetesWorkers(t *testing.T) {
	text, err := units.ReadFile("units/kubernetes-workers.yaml")
	check(t, err)
	type container struct {
		Args, Command []string
		EnvFrom       []struct {
			SecretRef struct{ Name string } `yaml:"secretRef"`
		} `yaml:"envFrom"`
		VolumeMounts []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
	var d struct {
		Kind string
		Spec struct {
			Replicas int
			Selector struct {
				MatchLabels map[string]string `yaml:"matchLabels"`
			}
			Template struct {
				Metadata struct{ Labels map[string]string }
				Spec     struct {
					Grace          int         `yaml:"terminationGracePeriodSeconds"`
					InitContainers []container `yaml:"initContainers"`
					Containers     []container
					Volumes        []map[string]any
				}
			}
		}
	}
	in := yaml.NewDecoder(strings.NewReader(string(text)))
	check(t, in.Decode(&d))
	if err := in.Decode(new(any)); err != io.EOF {
		t.Errorf("behind the Deployment: %v", err)
	}
	pod := d.Spec.Template.Spec
	if d.Kind != "Deployment" || d.Spec.Replicas < 2 || !maps.Equal(d.Spec.Selector.MatchLabels, d.Spec.Template.Metadata.Labels) || len(pod.Containers) != 1 || len(pod.InitContainers) != 1 {
		t.Fatalf("the manifest is %+v", d)
	}
	if grace := time.Duration(pod.Grace) * time.Second; grace < workers.StopWithin+20*time.Second {
		t.Errorf("a pod may take %v to end, a worker %v", grace, workers.StopWithin)
	}
	main := pod.Containers[0]
	if len(main.EnvFrom) != 1 || main.EnvFrom[0].SecretRef.Name != "makegood" {
		t.Errorf("its environment is that of %+v", main.EnvFrom)
	}
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		name, _ := v["name"].(string)
		volumes[name] = true
		for kind := range v {
			if !slices.Contains([]string{"name", "configMap", "secret", "emptyDir"}, kind) {
				t.Errorf("volume %s is a %s, which pods share", name, kind)
			}
		}
	}
	for _, m := range slices.Concat(main.VolumeMounts, pod.InitContainers[0].VolumeMounts) {
		if !volumes[m.Name] {
			t.Errorf("%s is mounted at %s, and is no volume", m.Name, m.MountPath)
		}
	}
	dir := t.TempDir()
	args := slices.Clone(main.Args)
	args[slices.Index(args, "/config/makegood.yaml")] = filepath.Join(dir, "none.yaml")
	if code, _, errs := makegood(t, args...); main.Args[0] != "worker" || code == exitUsage || !strings.Contains(errs, "none.yaml") {
		t.Errorf("%v: exit %d, %s", args, code, errs)
	}
	// The key gets where it is looked for, for its owner alone.
	check(t, os.MkdirAll(filepath.Join(dir, "key"), 0o700))
	check(t, os.WriteFile(filepath.Join(dir, "key", "person.key"), []byte("key"), 0o440)) //nolint:gosec // as a Secret is mounted
	command := pod.InitContainers[0].Command
	script := strings.NewReplacer("/state", filepath.Join(dir, "state"), "/key/", filepath.Join(dir, "key")+"/").Replace(command[2])
	if out, err := exec.Command(command[0], command[1], "mkdir "+filepath.Join(dir, "state")+" && "+script).CombinedOutput(); err != nil { //nolint:gosec // the manifest's own
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	info, err := os.Stat(filepath.Join(dir, "state", "files", "person.key"))
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the key: %v, %v", info, err)
	}
}

func unitTexts(t *testing.T) (all string) {
	t.Helper()
	for _, name := range systemdUnits {
		text, err := units.ReadFile("units/" + name)
		check(t, err)
		all += string(text)
	}
	return all
}
