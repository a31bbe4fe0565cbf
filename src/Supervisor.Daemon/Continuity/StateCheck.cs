using System.Globalization;
using Supervisor.Config;
using Supervisor.Config.Settings;
using Supervisor.Config.Validation;
using Supervisor.Core.State;
using Supervisor.Daemon.Model;
using Supervisor.Daemon.Validation;
using Supervisor.Linux.Performance;
using Supervisor.Native;

namespace Supervisor.Daemon.Continuity;

/// <summary>
/// Checks whether this executable could continue with the state of a running daemon. Before an upgrade, that daemon runs
/// <c>listend check-state</c> of the new executable and passes its state as a sealed memory file.
/// </summary>
internal static class StateCheck
{
    /// <summary>The command's name.</summary>
    public const string Command = "check-state";

    /// <summary>The option with the number of the state's descriptor.</summary>
    public const string StateOption = "--state-fd";

    /// <summary>The arguments with which a running daemon executes the check.</summary>
    public static IEnumerable<string> Arguments(int descriptor, IEnumerable<string> trustedOwners, string? configFile) =>
    [
        Command, StateOption, descriptor.ToString(CultureInfo.InvariantCulture),
        .. trustedOwners.SelectMany(owner => new[] { "--trusted-owner", owner }),
        .. configFile is null ? [] : (string[])["--config", configFile],
    ];

    /// <summary>
    /// Checks the state in the sealed memory file <paramref name="memory"/>, and the configuration file if there is one. Returns the
    /// answer, or null with every error.
    /// </summary>
    public static StateVerdict? Run(DescriptorHandle memory, string? configFile, out IReadOnlyList<string> errors)
    {
        using var text = Succession.MapSealed(memory, out var refused);
        if (text is null)
        {
            errors = [$"descriptor {memory.Number} is not a sealed memory file{(refused is { } why ? $": {why}" : "")}"];
            return null;
        }

        // For the configuration too, which is read afterwards.
        CollectionPause.BeginForState((int)Math.Min(2L * text.Memory.Length, int.MaxValue));
        if (!ManifestFormat.TryRead(text.Memory, out var manifest, out _, out var error))
        {
            errors = [error];
            return null;
        }

        errors = [.. DirectoryErrors(manifest), .. configFile is null ? [] : ConfigErrors(configFile, manifest)];
        var digest = StateVerdict.DigestOf(text.Memory.Span, Environment.GetEnvironmentVariable(StateVerdict.DigestVariable));
        return errors.Count > 0 ? null : new StateVerdict(DaemonInfo.Version, ManifestFormat.Current, digest);
    }

    private static IEnumerable<string> DirectoryErrors(DaemonManifest manifest)
    {
        var accepted = new DaemonConfig { TrustedOwners = manifest.Config.TrustedOwners };
        if (manifest.Config.RuntimeDirectory is { } directory
            && TrustedRuntimeDirectory.Error(directory, accepted, new ConfigPlaces()) is { } exposed)
        {
            yield return exposed.ToString();
        }
    }

    private static IEnumerable<string> ConfigErrors(string path, DaemonManifest manifest)
    {
        var given = manifest.Listeners.Where(entry => entry.IsGiven).Select(entry => entry.Spec.Name).ToHashSet(StringComparer.Ordinal);
        return ConfigLoading.Load(path, Profile.State, ConfigLoading.Context with { IsGiven = given.Contains }).Errors
            .Select(error => error.ToString());
    }
}
