using Supervisor.Config.Import;
using Supervisor.Core.Services;

namespace Supervisor.Config.Tests.Import;

/// <summary>Procfiles of foreman and Heroku.</summary>
public sealed class ProcfileImportTests
{
    [Fact]
    public void ProcessTypesBecomeServicesWithPorts()
    {
        var imported = Imported.Of("Procfile", """
            # two processes
            web: bundle exec puma -p $PORT
            worker: QUEUE=mail node worker.js "two words"

            release: rake db:migrate
            not a line
            """);

        Assert.Equal(["web", "worker"], imported.Config.Services.Select(service => service.Name));
        Assert.Equal(["/bin/sh", "-c", "exec bundle exec puma -p $PORT"], Words(imported.Config.Services[0]));
        Assert.Equal(["/bin/sh", "-c", "QUEUE=mail exec node worker.js \"two words\""], Words(imported.Config.Services[1]));
        Assert.Equal(["5000", "5100"], imported.Config.Services.Select(service => Variable(service, "PORT")));
        Assert.Equal(["release:5", "line:6"], imported.Lost);
    }

    [Fact]
    public void PortInOtherDigitsIsNoPort()
    {
        var result = ConfigImport.Translate([new("Procfile", "web: a"), new(".env", "PORT=\u0661\u0662\n")]);

        Assert.Contains("\"5000\"", result.Toml, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("node server.js --name 'a b'", "node", "server.js", "--name", "a b")]
    [InlineData("cd app && npm start", "/bin/sh", "-c", "cd app && npm start")]
    [InlineData("exec ./run $PORT", "/bin/sh", "-c", "exec ./run $PORT")]
    [InlineData("TZ=\"Europe/Berlin\" A='b c' run x", "/bin/sh", "-c", "TZ=\"Europe/Berlin\" A='b c' exec run x")]
    [InlineData("A=1 B=x\\ y\"z w\" run", "/bin/sh", "-c", "A=1 B=x\\ y\"z w\" exec run")]
    [InlineData("npm start | tee log", "/bin/sh", "-c", "npm start | tee log")]
    [InlineData("./run *.conf", "/bin/sh", "-c", "exec ./run *.conf")]
    public void CommandHasShellOnlyWhereItNeedsOne(string line, params string[] words) =>
        Assert.Equal(words, Words(Imported.Of("Procfile.dev", "web: " + line).Service));

    [Fact]
    public void EnvironmentNextToItIsRead()
    {
        var service = Imported.Of("app/Procfile", "web: run", "app/.env", "# x\nPORT=8000\nA=1\n").Service;

        Assert.Equal("8000", Variable(service, "PORT"));
        Assert.Equal(["/etc/app/.env"], service.EnvironmentFiles.Select(file => file.ToString()));
        Assert.Equal("/etc/app", service.WorkingDirectory?.ToString());
    }

    [Fact]
    public void EachLineOfNameRuns()
    {
        var imported = Imported.Of("Procfile", "web: a\nweb: b\r\n");

        Assert.Equal(["web", "web-2"], imported.Config.Services.Select(service => service.Name));
        Assert.Equal(["a", "b"], imported.Config.Services.SelectMany(Words));
        Assert.Equal(["5000", "5100"], imported.Config.Services.Select(service => Variable(service, "PORT")));
        Assert.Equal(["web.1", "web.1"], imported.Config.Services.Select(service => Variable(service, "PS")));
        Assert.Contains("web:2", imported.Changed);
    }

    [Fact]
    public void FileWithoutProcessTypeIsError() =>
        Assert.Single(Imported.Translate("Procfile", "nothing here\n").Errors);

    private static string[] Words(ServiceSpec service) => [.. service.Command.Select(word => word.ToString())];

    private static string Variable(ServiceSpec service, string name) =>
        service.Environment.Single(variable => variable.Key.ToString() == name).Value.ToString()!;
}
