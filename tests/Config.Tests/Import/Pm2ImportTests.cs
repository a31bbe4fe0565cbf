using System.Text;
using Supervisor.Core.Services;

namespace Supervisor.Config.Tests.Import;

/// <summary>Ecosystem files of PM2.</summary>
public sealed class Pm2ImportTests
{
    [Fact]
    public void AppInClusterModeGetsListenerOfItsPort()
    {
        var imported = Imported.Of("ecosystem.config.js", """
            const path = require('path');
            module.exports = {
              apps: [{
                name: 'web',
                script: path.join(__dirname, 'dist', 'server.js'),
                args: '--color "two words"',
                node_args: ['--max-old-space-size=400'],
                instances: 'max',
                exec_mode: 'cluster',
                max_memory_restart: '400M',
                kill_timeout: 5000,
                env: { NODE_ENV: 'production', PORT: 8080, DEBUG: false },
                env_staging: { NODE_ENV: 'staging' },
                watch: false,
                cron_restart: '0 3 * * *',
              }],
            };
            """);

        Assert.Equal("tcp://*:8080", imported.Listener.Address.ToString());
        var service = imported.Service;
        Assert.Equal(
            ["node", "--max-old-space-size=400", "/etc/dist/server.js", "--color", "two words"], Words(service));
        Assert.Equal("web", Assert.Single(service.Listeners).ToString());
        Assert.Equal("production", Variable(service, "NODE_ENV"));
        Assert.Equal("8080", Variable(service, "PORT"));
        Assert.Equal("false", Variable(service, "DEBUG"));
        Assert.Equal("{slot}", Variable(service, "NODE_APP_INSTANCE"));
        Assert.Contains("workers = \"cpus\"", imported.Result.Toml, StringComparison.Ordinal);
        Assert.Contains("stop_signal = \"SIGINT\"", imported.Result.Toml, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(5), service.StopTimeout);
        Assert.Equal(400L << 20, service.Recycle.MaxMemory);
        Assert.Equal(["cron_restart:15"], imported.Lost);
        Assert.Equal(["exec_mode:9", "max_memory_restart:10", "env_staging:13"], imported.Changed);
    }

    [Theory]
    [InlineData("module.exports = [{ script: 'a.js' }]")]
    [InlineData("module.exports.apps = [{ script: './a.js' }]")]
    [InlineData("'use strict';\nexports.apps = { script: `a.js` };")]
    [InlineData("const name = 'a';\nconst app = { script: name + '.js' };\nmodule.exports = { apps: [app] };")]
    [InlineData("const make = (name) => ({ name, script: `${name}.js` });\nmodule.exports = { apps: [make('a')] };")]
    [InlineData("function make(name) { return { script: name + '.js' } }\nmodule.exports = { apps: ['a'].map(make) };")]
    [InlineData("const base = { script: 'b.js' };\nmodule.exports = { apps: [{ ...base, script: 'a.js' }] };")]
    [InlineData("export default { apps: [{ script: 'a.js' }] };")]
    [InlineData("import path from 'node:path';\nexport default { apps: [{ script: path.resolve('a.js') }] };")]
    [InlineData("require('dotenv').config();\nmodule.exports = { apps: [{ script: process.env.SCRIPT || 'a.js' }] };")]
    [InlineData("module.exports = { apps: [{ script: true ? 'a.js' : 'b.js', args: undefined, f() {} }] };")]
    public void ScriptsAreEvaluated(string text)
    {
        var service = Imported.Of("pm2.config.js", text).Service;

        Assert.Equal(["node", "/etc/a.js"], Words(service));
        Assert.Equal("a", service.Name);
    }

    [Theory]
    [InlineData("ecosystem.json", "{ \"apps\": [{ \"script\": \"a.js\", \"instances\": 2 }] }")]
    [InlineData("ecosystem.json", "// comment\n{ apps: [{ 'script': 'a.js', instances: \"2\", }] }")]
    [InlineData("process.yml", "apps:\n  - script: a.js\n    instances: 2\n")]
    [InlineData("process.yaml", "base: &base\n  instances: 2\napps:\n- <<: *base\n  script: 'a.js'\n")]
    public void JsonAndYamlAreRead(string name, string text)
    {
        var service = Imported.Of(name, text).Service;

        Assert.Equal(["node", "/etc/a.js"], Words(service));
        Assert.Equal(2, service.Workers);
    }

    [Theory]
    [InlineData("script: 'npm', args: 'run start'", "npm", "run", "start")]
    [InlineData("script: './run.sh'", "bash", "/etc/run.sh")]
    [InlineData("script: 'app.py', interpreter: '/venv/bin/python'", "/venv/bin/python", "/etc/app.py")]
    [InlineData("script: '/usr/bin/app', interpreter: 'none', args: ['-x', 'a b', 3]", "/usr/bin/app", "-x", "a b", "3")]
    [InlineData("script: 'app.js', cwd: '/srv/app'", "node", "/srv/app/app.js")]
    [InlineData("script: 'npm run start'", "npm", "run", "start")]
    [InlineData("script: 'app.js', args: '{slot}'", "node", "/etc/app.js", "{{slot}}")]
    public void CommandIsThatOfPm2(string app, params string[] words)
    {
        var service = Imported.Of("ecosystem.config.cjs", $"module.exports = {{ apps: [{{ {app} }}] }}").Service;

        Assert.Equal(words, Words(service));
    }

    [Fact]
    public void CountedVariableMakesServices()
    {
        var imported = Imported.Of(
            "e.json", "{apps: [{name: 'a', script: 'a.js', instances: 3, increment_var: 'PORT', env: {PORT: 3000}}]}");

        Assert.Equal(["a-0", "a-1", "a-2"], imported.Config.Services.Select(service => service.Name));
        Assert.Equal(["3000", "3001", "3002"], imported.Config.Services.Select(service => Variable(service, "PORT")));
        Assert.Equal(["0", "1", "2"], imported.Config.Services.Select(service => Variable(service, "NODE_APP_INSTANCE")));
    }

    [Fact]
    public void CountedVariableNeedsNumberOfInstances()
    {
        var imported = Imported.Of("e.json", "{apps: [{script: 'a.js', instances: 'max', increment_var: 'PORT', env: {PORT: 3000}}]}");

        Assert.Equal(["increment_var:1"], imported.Lost);
    }

    [Fact]
    public void EverySettingOfPm2HasReasonOrEquivalent()
    {
        string[] settings =
        [
            "name_prefix", "filter_env", "namespace", "install_url", "log_file", "disable_logs", "log_type",
            "log_date_format", "time", "pid_file", "source_map_support", "disable_source_map_support", "wait_ready",
            "shutdown_with_message", "cron_restart", "merge_logs", "vizion", "watch_delay", "watch", "ignore_watch",
            "watch_options", "min_uptime", "max_restarts", "execute_command", "force", "append_env_to_name",
            "post_update", "trace", "disable_trace", "v8", "event_loop_inspector", "deep_monitoring", "pmx", "automation",
            "username", "windowsHide", "kill_retry_time", "write", "io",
        ];
        var text = new StringBuilder("module.exports = { apps: [{ script: 'a.js',\n");
        Array.ForEach(settings, name => text.Append(name).Append(": true,\n"));

        var result = Imported.Translate("ecosystem.config.js", text.Append("}] }").ToString());

        Assert.Equal(
            settings.Order(StringComparer.Ordinal),
            result.Differences.Where(d => d.Line > 0).Select(d => d.Setting!).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(result.Differences, d => d.Reason == "listend has no equivalent");
    }

    [Theory]
    [InlineData("while (true) {}", "WhileStatement")]
    [InlineData("const f = n => f(n + 1);\nmodule.exports = f(1);", "nested too deeply", "calculates for too long")]
    [InlineData("const fs = require('fs');", "needs the module \"fs\"")]
    [InlineData("module.exports = { apps: [{ script: unknown }] }", "Identifier unknown")]
    [InlineData("module.exports = { apps: [", "it is not JavaScript")]
    [InlineData("const a = n => [n, n].map(x => n > 40 ? 0 : a(n + 1));\na(0);", "calculates for too long", "nested too deeply")]
    [InlineData("const c = (a, n) => n ? c(a.concat(a), n - 1) : a;\nc([1], 40);", "calculates for too long")]
    [InlineData("const c = (a, n) => n ? c([...a, ...a], n - 1) : a;\nc([1], 40);", "calculates for too long")]
    [InlineData("const j = (s, n) => n ? j([s, s].join(s), n - 1) : s;\nj('xxxxxxxx', 60);", "more than 1 MiB")]
    [InlineData("const a = ['x'];\nconst b = `${a}`;", "does not run this part")]
    [InlineData("module.exports = { apps: [{ script: 'a\\0b' }] }", "NUL character")]
    [InlineData("const g = (s, n) => n ? g(s + s, n - 1) : s;\ng('xxxxxxxxxxxxxxxx', 60);", "more than 1 MiB")]
    public void ScriptThatCannotBeEvaluatedIsOneError(string text, params string[] messages)
    {
        var error = Assert.Single(Imported.Translate("ecosystem.config.js", text).Errors);

        Assert.Contains(messages, message => error.Message.Contains(message, StringComparison.Ordinal));
        Assert.True(error.Line > 0);
    }

    [Theory]
    [InlineData("a.js")]
    [InlineData("a.json")]
    [InlineData("a.yml")]
    public void DeepNestingIsOneError(string name) =>
        Assert.Single(Imported.Translate(name, new string('[', 100_000)).Errors);

    [Theory]
    [InlineData("base: &base {instanmes: 2, enbase\n  sb\n- script: b.py\n  watch: [x,y]\n")]
    [InlineData("!![][")]
    public void YamlThatItsParserRefusesIsOneError(string text) => Assert.Single(Imported.Translate("a.yml", text).Errors);

    [Fact]
    public void AliasesOfYamlDoNotMultiply()
    {
        var text = new StringBuilder("a0: &a0 [x, x]\n");
        for (var i = 1; i < 40; i++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n");
        }

        Assert.Single(Imported.Translate("a.yml", text.ToString()).Errors);
    }

    [Fact]
    public void AppWithoutScriptIsNamed()
    {
        var imported = Imported.Of("e.json", "{apps: [{script: 'a.js'}, {name: 'b'}], deploy: {production: {}}}");

        Assert.Equal("a", imported.Service.Name);
        Assert.Contains("without script there is no program to run", imported.Result.Toml, StringComparison.Ordinal);
        Assert.Contains("listend has no deployment", imported.Result.Toml, StringComparison.Ordinal);
    }

    private static string[] Words(ServiceSpec service) => [.. service.Command.Select(word => word.ToString())];

    private static string Variable(ServiceSpec service, string name) =>
        service.Environment.Single(variable => variable.Key.ToString() == name).Value.ToString()!;
}
