using System.Globalization;
using Supervisor.Config;
using Supervisor.Config.Validation;
using Supervisor.Daemon.Tests.Fakes;
using Supervisor.Daemon.Validation;

namespace Supervisor.Daemon.Tests.Validation;

/// <summary>A configuration that is read again costs only what has changed.</summary>
public sealed class ConfigLoadingTests : IDisposable
{
    private readonly TemporaryRuntime _runtime = new();

    public ConfigLoadingTests() => Directory.CreateDirectory(_runtime.Paths.Directory);

    private string File => Path.Combine(_runtime.Paths.Directory, "listend.toml");

    [Fact]
    public void Files_that_have_not_changed_give_the_same_configuration()
    {
        var before = Load(Text(3));
        var again = Again(before, Text(3));
        Assert.Same(before, again.Config);
        Assert.Empty(again.Errors);
    }

    [Fact]
    public void What_has_not_changed_is_the_same_object()
    {
        var before = Load(Text(3));
        var next = Again(before, Text(3).Replace("s1\"]", "s1\", \"more\"]", StringComparison.Ordinal)).Config!;
        Assert.Same(before.Services[0], next.Services[0]);
        Assert.Equal(["/bin/true", "s1", "more"], next.Services[1].Command.AsEnumerable());
        Assert.Same(before.Services[2], next.Services[2]);
        Assert.Equal(before.Listeners, next.Listeners);
        Assert.Equal(before.Listeners[..2], Again(before, Text(2)).Config!.Listeners.AsEnumerable());
    }

    [Fact]
    public void A_fault_of_the_host_in_files_that_have_not_changed_has_its_place()
    {
        var folder = Path.Combine(_runtime.Paths.Directory, "work");
        Directory.CreateDirectory(folder);
        var text = Text(2) + $"working_directory = \"{folder}\"\n";
        var before = Load(text);
        Directory.Delete(folder);
        var again = Again(before, text);
        var warning = Assert.Single(again.Warnings);
        Assert.Equal(("service.s1.working_directory", text.Split('\n').Length - 1), (warning.Setting, warning.Line));
        Assert.Same(before, again.Config);
    }

    [Fact]
    public void A_configuration_that_this_process_has_not_read_is_parsed()
    {
        var before = Load(Text(1));
        var again = Again(before with { Stamp = null }, Text(1)).Config!;
        Assert.NotSame(before, again);
        Assert.NotNull(again.Stamp);
        Assert.Equal(before.Services, again.Services);
    }

    /// <inheritdoc/>
    public void Dispose() => _runtime.Dispose();

    private static string Text(int services) => string.Concat(Enumerable.Range(0, services).Select(i => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        [listener.l{i}]
        address = "tcp://127.0.0.1:0"
        [service.s{i}]
        command = ["/bin/true", "s{i}"]
        listeners = ["l{i}"]

        """)));

    private ListendConfig Load(string text)
    {
        System.IO.File.WriteAllText(File, text);
        return ConfigLoading.Load(File, Profile.Start, ConfigLoading.Context).Config!;
    }

    private ConfigResult Again(ListendConfig before, string text)
    {
        System.IO.File.WriteAllText(File, text);
        return ConfigLoading.LoadAgain(File, before, Profile.Reload, ConfigLoading.Context);
    }
}
