using System.Text.Json;
using Xunit;

namespace Supervisor.Control.Tests;

public sealed class ImportTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("listend-import-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Import_writes_the_configuration_to_stdout_a_count_to_stderr()
    {
        var result = Listenctl.Run(["import", Write("web.socket", "[Socket]\nListenStream=80\nBogus=yes\n")]);
        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.Contains("[listener.web]\naddress = \"tcp://*:80\"\n", result.Output, StringComparison.Ordinal);
        Assert.Equal("listenctl: 2 settings are lost: see \"lost\" in the comments\n", result.Error);
    }

    [Fact]
    public void Json_output_is_one_document()
    {
        var file = Write("web.socket", "[Socket]\nListenStream=80\nBogus=yes\n");
        var result = Listenctl.Run(["--json", "import", file]);
        Assert.Equal((ExitCode.Done, ""), (result.ExitCode, result.Error));
        using var document = JsonDocument.Parse(result.Output);
        Assert.Contains("tcp://*:80", document.RootElement.GetProperty("toml").GetString(), StringComparison.Ordinal);
        var unsupported = document.RootElement.GetProperty("unsupported").EnumerateArray().Last();
        Assert.Equal((file, 3, "Socket", "Bogus", "yes"), (
            unsupported.GetProperty("file").GetString(), unsupported.GetProperty("line").GetInt32(),
            unsupported.GetProperty("section").GetString(),
            unsupported.GetProperty("setting").GetString(), unsupported.GetProperty("value").GetString()));
    }

    [Fact]
    public void Import_reads_an_instance_from_its_template()
    {
        Write("web@.service", "[Service]\nExecStart=/bin/web %i\n");
        var result = Listenctl.Run(["import", Path.Combine(folder, "web@80.service")]);
        Assert.Contains("command = [\"/bin/web\", \"80\"]", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Unreadable_file_exits_1_and_unknown_file_type_exits_2()
    {
        var missing = Listenctl.Run(["import", "/nowhere/a.service"]);
        Assert.Equal(
            (ExitCode.Failed, "", "listenctl: /nowhere/a.service: no such file\n"), (missing.ExitCode, missing.Output, missing.Error));
        var document = Listenctl.Run(["--json", "import", "/nowhere/a.service"]);
        Assert.Equal(ExitCode.Failed, document.ExitCode);
        Assert.Equal("/nowhere/a.service: no such file", JsonDocument.Parse(document.Output).RootElement.GetProperty("detail").GetString());
        var directory = Listenctl.Run(["import", folder]);
        Assert.Equal((ExitCode.Failed, $"listenctl: {folder}: is a folder; name the files in it\n"), (directory.ExitCode, directory.Error));
        var unknown = Listenctl.Run(["import", Write("notes.txt", "hello\n")]);
        Assert.Equal((ExitCode.Usage, ""), (unknown.ExitCode, unknown.Output));
        Assert.Contains("unknown kind of file", unknown.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, Listenctl.Run(["import"]).ExitCode);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
