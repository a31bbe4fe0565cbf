using System.Collections.Immutable;
using Supervisor.Core.Services;
using Supervisor.Linux.Tests.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Linux.Tests.Workers;

/// <summary>Checks of a service's files before a worker starts.</summary>
public class ServiceFilesTests : KernelTest
{
    private readonly TemporaryDirectory _directory = new();

    public ServiceFilesTests()
    {
        Write("good", "#!/bin/sh\n", executable: true);
        Write("orphan", "#! /no/such/interpreter -x\n", executable: true);
        Write("plain", "#!/bin/sh\n", executable: false);
        Write("env", $"PATH={_directory.Path}\n", executable: false);
        Directory.CreateDirectory(_directory["folder"]);
        File.CreateSymbolicLink(_directory["dangling"], "nowhere");
    }

    public override void Dispose()
    {
        _directory.Dispose();
        base.Dispose();
    }

    [Theory]
    [InlineData("@/good", null)]
    [InlineData("true", null)]
    [InlineData("@/absent", "program \"@/absent\" does not exist")]
    [InlineData("@/dangling", "program \"@/dangling\" does not exist")]
    [InlineData("@/good/below", "program \"@/good/below\" does not exist: a part of its path is not a directory")]
    [InlineData("@/folder", "\"@/folder\" is a directory")]
    [InlineData("@/plain", "\"@/plain\" is not executable")]
    [InlineData("@/orphan", "\"@/orphan\" is a script for \"/no/such/interpreter\", which does not exist")]
    [InlineData("good", "no directory of PATH (/usr/bin:/bin) has a program \"good\"")]
    [InlineData("./wherever", null)]
    public void The_check_finds_a_program_as_the_spawner_does(string program, string? message)
    {
        var found = ServiceFiles.FindFaults(Service(At(program)), "/usr/bin:/bin");
        Assert.Equal(message is null ? [] : [("command", At(message))], found.Select(fault => (fault.Setting, fault.Message)));
        var hook = ServiceFiles.FindFaults(Service("true") with { Hooks = new HookSpec { PostStop = [At(program)] } }, "/usr/bin:/bin");
        Assert.Equal(message is null ? [] : [("hooks.post_stop", At(message))], hook.Select(fault => (fault.Setting, fault.Message)));
        var probe = new Readiness(ReadinessKind.Exec) { Command = [At(program)] };
        var probes = ServiceFiles.FindFaults(
            Service("true") with { Readiness = probe, Liveness = new LivenessSpec { Probe = probe } }, "/usr/bin:/bin");
        Assert.Equal(
            message is null ? [] : [("ready", At(message)), ("liveness.probe", At(message))],
            probes.Select(fault => (fault.Setting, fault.Message)));
    }

    [Fact]
    public void The_check_uses_the_services_PATH_and_directory()
    {
        var path = ImmutableSortedDictionary<string, string>.Empty.Add("PATH", _directory.Path);
        Assert.Empty(ServiceFiles.FindFaults(Service("good") with { Environment = path }, null));
        Assert.Empty(ServiceFiles.FindFaults(Service("good") with { EnvironmentFiles = [_directory["env"]] }, null));
        Assert.Single(ServiceFiles.FindFaults(
            Service("good") with { EnvironmentFiles = [_directory["env"]], Environment = path.SetItem("PATH", "/bin") },
            null));
        Assert.Empty(ServiceFiles.FindFaults(Service("./good") with { WorkingDirectory = _directory.Path }, null));
        Assert.Single(ServiceFiles.FindFaults(Service("./good") with { WorkingDirectory = _directory["folder"] }, null));
    }

    [Fact]
    public void Missing_directories_and_environment_files_are_named()
    {
        var found = ServiceFiles.FindFaults(
            Service("./good") with
            {
                WorkingDirectory = _directory["absent"],
                EnvironmentFiles = ["-" + _directory["absent"], _directory[
                "absent"], _directory["folder"]]
            }, null);
        Assert.Equal(
            [
                ("working_directory", (int?)null, At("directory \"@/absent\" does not exist")),
                ("environment_files", 1, At("file \"@/absent\" does not exist")),
                ("environment_files", 2, At("\"@/folder\" is a directory")),
            ],
            found.Select(fault => (fault.Setting, fault.Element, fault.Message)));
        var service = Service("true") with { WorkingDirectory = _directory["plain"] };
        Assert.Equal("working_directory", Assert.Single(ServiceFiles.FindFaults(service, "/usr/bin:/bin")).Setting);
    }

    private static ServiceSpec Service(string program) => new() { Name = "api", Command = [program] };

    private string At(string text) => text.Replace("@", _directory.Path, StringComparison.Ordinal);

    private void Write(string name, string text, bool executable)
    {
        File.WriteAllText(_directory[name], text);
        if (executable)
        {
            File.SetUnixFileMode(_directory[name], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }
    }
}
