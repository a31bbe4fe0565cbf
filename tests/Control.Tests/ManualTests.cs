using System.Diagnostics;
using Supervisor.Manual;
using Xunit;

namespace Supervisor.Control.Tests;

/// <summary>The man pages match the tables of the parsers.</summary>
public sealed class ManualTests
{
    private static readonly string Folder = Path.Combine(Root(), "packaging", "man");

    [Theory]
    [InlineData("listend.8")]
    [InlineData("listenctl.1")]
    [InlineData("listend.toml.5")]
    public void Each_manual_page_is_up_to_date(string name)
    {
        var (_, text) = Pages.All().Single(page => page.Name == name);
        Assert.True(text == File.ReadAllText(Path.Combine(Folder, name)), $"packaging/man/{name} is stale: run \"make manual\"");
    }

    [Fact]
    public void The_description_of_the_control_interface_is_up_to_date() => Assert.True(
        OpenApi.Text() == File.ReadAllText(Path.Combine(Root(), "docs", "reference", "openapi.json")),
        "docs/reference/openapi.json is stale: run \"make manual\"");

    [Fact]
    public void Every_setting_and_every_option_of_a_socket_has_an_entry()
    {
        var page = Pages.All().Single(p => p.Name == "listend.toml.5").Text;
        Assert.All(Config.Settings.SettingTable.All, setting => Assert.Contains($".B \"{setting.Key} =\"", page, StringComparison.Ordinal));
        Assert.All(
            Core.Listeners.Options.SocketOptions.All,
            option => Assert.Contains($".B \"{option.Name}\"", page, StringComparison.Ordinal));
    }

    [NeedsTheory("groff")]
    [InlineData("listend.8")]
    [InlineData("listenctl.1")]
    [InlineData("listend.toml.5")]
    public void Each_manual_page_renders_without_a_warning(string name)
    {
        using var groff = Process.Start(
            new ProcessStartInfo("groff", ["-man", "-ww", "-Tutf8", "-z", Path.Combine(Folder, name)]) { RedirectStandardError = true })!;
        var warnings = groff.StandardError.ReadToEnd();
        groff.WaitForExit();
        Assert.Equal(("", 0), (warnings, groff.ExitCode));
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Directory.Build.props")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("no repository above " + AppContext.BaseDirectory);
        }

        return folder.FullName;
    }

    private sealed class NeedsTheoryAttribute : TheoryAttribute
    {
        public NeedsTheoryAttribute(string program)
        {
            if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program))))
            {
                Skip = $"{program} is missing: apt-get install -y {program}";
            }
        }
    }
}
