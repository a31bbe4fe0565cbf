using Supervisor.Config.Toml;
using Supervisor.Core.Listeners;

namespace Supervisor.Config.Validation;

/// <summary>An element of <c>options</c> in a file.</summary>
/// <param name="Listener">The listener that has it.</param>
/// <param name="Index">Its index in the list.</param>
/// <param name="Path">The setting, with its section.</param>
/// <param name="Element">Its place in the file.</param>
internal sealed record GivenOption(ListenerSpec Listener, int Index, string Path, TomlNode Element)
{
    /// <summary>The option.</summary>
    public CustomOption Option => Listener.Options[Index];

    /// <summary>All elements of all listeners, in their order.</summary>
    public static IEnumerable<GivenOption> AllOf(ParsedConfig config) =>
        from listener in config.Listeners
        where listener.Given.ContainsKey("options")
        let given = listener.Given["options"]
        from index in Enumerable.Range(0, given.Node.Items.Count)
        select new GivenOption(listener.Spec, index, given.Path, given.Node.Items[index]);

    /// <summary>A value of the element.</summary>
    public TomlNode this[string name] => Element.Find(name)!.Value;
}
