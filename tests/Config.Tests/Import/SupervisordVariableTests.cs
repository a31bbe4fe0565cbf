namespace Supervisor.Config.Tests.Import;

/// <summary>Variables of supervisord.conf that depend on each other or on the daemon's, and what [supervisord] sets for all programs.</summary>
public sealed class SupervisordVariableTests
{
    [Fact]
    public void A_variable_that_depends_on_one_of_the_daemon_is_set_in_the_command()
    {
        var imported = Imported.Of("a.conf", """
            [program:a]
            command=run --home %(ENV_HOME)s
            environment=PATH="/opt/a b:%(ENV_PATH)s",PLAIN="50%%",PORT=%(ENV_PORT)s
            """);
        Assert.Empty(imported.Lost);
        Assert.Equal(
            [
                "/bin/sh", "-c",
                "set -f; exec /usr/bin/env 'PATH=/opt/a b:'\"${PATH}\" PORT=\"${PORT}\" run --home ${HOME}",
            ],
            Words(imported));
        Assert.Contains("environment.PLAIN = \"50%\"\n", imported.Result.Toml, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_can_name_the_variables_of_the_file()
    {
        var imported = Imported.Of("a.conf", """
            [supervisord]
            environment=ROOT="/srv/app",LIST="a 'b c' d"
            [program:a]
            command=%(ENV_ROOT)s/run %(ENV_LIST)s "%(ENV_OWN)s" %%(ENV_ROOT)s
            directory=%(ENV_ROOT)s/work
            environment=OWN="%(ENV_ROOT)s/x y",ROOT="/own"
            stdout_logfile=%(ENV_OWN)s.log
            """);
        Assert.Empty(imported.Lost);
        Assert.Equal(["/own/run", "a", "b c", "d", "/srv/app/x y", "%(ENV_ROOT)s"], Words(imported));
        Assert.Equal("/own/work", imported.Service.WorkingDirectory?.ToString());
        Assert.Contains("log = \"file:/srv/app/x y.log\"\n", imported.Result.Toml, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("int", "SIGINT")]
    [InlineData("SigQuit", "SIGQUIT")]
    [InlineData("15", "SIGTERM")]
    [InlineData("10", "SIGUSR1")]
    public void A_signal_can_be_written_in_each_way_of_supervisord(string value, string signal)
    {
        var imported = Imported.Of("a.conf", $"[program:a]\ncommand=/bin/a\nstopsignal={value}\n");
        Assert.Empty(imported.Lost);
        Assert.Contains($"stop_signal = \"{signal}\"\n", imported.Result.Toml, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("user=app", "", "app")]
    [InlineData("user=app", "user=other", "other")]
    [InlineData("user=root", "", null)]
    public void The_user_of_supervisord_runs_its_programs(string common, string own, string? user)
    {
        var imported = Imported.Of("a.conf", $"[supervisord]\n{common}\n[program:a]\ncommand=/bin/a\n{own}\n");
        Assert.Empty(imported.Lost);
        Assert.Equal(user is null ? 0 : 1, imported.Result.Toml!.Split('\n').Count(line => line == $"user = \"{user}\""));
    }

    [Fact]
    public void A_limit_of_Circus_can_be_unlimited() => Assert.Contains(
        "limits.core = \"infinity\"\n",
        Imported.Of("circus.ini", "[watcher:w]\ncmd = /bin/w\nrlimit_core = -1\n").Result.Toml, StringComparison.Ordinal);

    private static IEnumerable<string> Words(Imported imported) => imported.Service.Command.Select(word => word.ToString());
}
