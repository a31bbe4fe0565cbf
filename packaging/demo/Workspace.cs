using System.Text;

namespace Supervisor.Demo;

/// <summary>
/// A private folder for one run of the demo, removed at the end: the configuration, the daemon's runtime directory, and a
/// deployment of the worker, in which <c>current/hello</c> is a symbolic link to the current release.
/// </summary>
internal sealed class Workspace : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("listend-demo-");
    private readonly string _worker;

    /// <param name="worker">Full path of the published worker.</param>
    public Workspace(string worker)
    {
        _worker = worker;
        Runtime = _root.CreateSubdirectory("run").FullName;
        ConfigFile = Path.Combine(_root.FullName, "listend.toml");
        Current = Path.Combine(_root.CreateSubdirectory("current").FullName, "hello");
        DeployGood();
        File.WriteAllText(ConfigFile, Config());
    }

    /// <summary>The configuration file.</summary>
    public string ConfigFile { get; }

    /// <summary>The daemon's runtime directory.</summary>
    public string Runtime { get; }

    /// <summary>The command of the service.</summary>
    public string Current { get; }

    /// <summary>The control socket.</summary>
    public string ControlSocket => Path.Combine(Runtime, "control.sock");

    /// <summary>Deploys the working release.</summary>
    public void DeployGood() => Deploy(_worker);

    /// <summary>Deploys a release that exits before it is ready.</summary>
    public void DeployBroken()
    {
        var script = Path.Combine(_root.FullName, "broken");
        File.WriteAllText(script, $"#!/bin/sh\nHELLO_FAIL=exit exec '{_worker.Replace("'", "'\\''", StringComparison.Ordinal)}' \"$@\"\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Deploy(script);
    }

    /// <inheritdoc />
    public void Dispose() => _root.Delete(recursive: true);

    // rename(2) is atomic, so there is always a release.
    private void Deploy(string release)
    {
        var next = Current + ".next";
        File.CreateSymbolicLink(next, release);
        File.Move(next, Current, overwrite: true);
    }

    // The bundled file with another runtime directory and worker path, and with a realistic start time of the workers.
    private string Config()
    {
        using var resource = typeof(Workspace).Assembly.GetManifestResourceStream("listend.toml")!;
        using var reader = new StreamReader(resource, Encoding.UTF8);
        const string Command = "command = [\"hello\"]";
        var bundled = reader.ReadToEnd();
        if (bundled.Split(Command).Length != 2)
        {
            throw new InvalidOperationException($"the bundled listend.toml should have one line {Command}");
        }

        var deployed = $"command = [{Quote(Current)}]\nenvironment = {{ HELLO_START_DELAY_MS = \"300\" }}";
        return $"""
            [daemon]
            runtime_directory = {Quote(Runtime)}

            {bundled.Replace(Command, deployed, StringComparison.Ordinal)}
            """;
    }

    private static string Quote(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
